SELECT seq, id, layer, height
FROM state.blocks
WHERE seq > $1
ORDER BY seq
LIMIT $2
