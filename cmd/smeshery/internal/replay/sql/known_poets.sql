SELECT ref FROM activation.poet_proofs WHERE ref = ANY($1::bytea[])
