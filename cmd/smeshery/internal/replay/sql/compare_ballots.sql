SELECT id, layer, atx, node_id FROM consensus.ballots WHERE id = ANY($1::bytea[])
