SELECT layer, aggregated_hash
FROM consensus.layers
WHERE layer BETWEEN $1 AND $2 AND aggregated_hash IS NOT NULL
