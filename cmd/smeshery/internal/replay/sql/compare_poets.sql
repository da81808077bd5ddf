SELECT ref, service_id, round_id FROM activation.poet_proofs WHERE ref = ANY($1::bytea[])
