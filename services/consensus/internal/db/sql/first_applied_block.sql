-- The body of the lowest non-empty layer applied in a range of layers.
SELECT b.blob
FROM state.layers l
JOIN state.blocks b ON b.id = l.applied_block
WHERE l.layer BETWEEN $1 AND $2
ORDER BY l.layer
LIMIT 1
