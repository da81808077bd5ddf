SELECT id FROM activation.atxs WHERE id = ANY($1::bytea[])
