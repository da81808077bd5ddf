SELECT layer, c.weak_coin, coalesce(c.processed, false), c.aggregated_hash, s.applied_block, s.state_root
FROM consensus.layers c FULL JOIN state.layers s USING (layer)
WHERE layer BETWEEN $1 AND $2
