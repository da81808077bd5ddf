SELECT id FROM consensus.activesets WHERE id = ANY($1::bytea[])
