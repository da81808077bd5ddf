SELECT id FROM state.transactions WHERE id = ANY($1::bytea[])
