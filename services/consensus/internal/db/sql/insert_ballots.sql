INSERT INTO ballots (id, hash, layer, atx, node_id, signature, slots, blob)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bigint[], $8::bytea[])
ON CONFLICT (id) DO NOTHING
