SELECT id, blob
FROM state.blocks
WHERE id = ANY ($1::bytea[])
