SELECT id FROM consensus.ballots WHERE id = ANY($1::bytea[])
