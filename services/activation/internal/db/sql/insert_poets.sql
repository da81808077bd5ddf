INSERT INTO poet_proofs (ref, leaves, statement, service_id, round_id, blob)
SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[])
ON CONFLICT (ref) DO NOTHING
