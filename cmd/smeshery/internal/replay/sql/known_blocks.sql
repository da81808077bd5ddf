SELECT id FROM state.blocks WHERE id = ANY($1::bytea[])
