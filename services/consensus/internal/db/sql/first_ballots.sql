-- The lowest-layer ballot of every identity in a range of layers.
SELECT DISTINCT ON (node_id) blob
FROM ballots
WHERE layer BETWEEN $1 AND $2
ORDER BY node_id, layer, id
