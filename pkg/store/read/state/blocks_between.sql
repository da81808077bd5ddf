SELECT seq, id, layer, height
FROM state.blocks
WHERE layer BETWEEN $1 AND $2
ORDER BY layer, height, id
