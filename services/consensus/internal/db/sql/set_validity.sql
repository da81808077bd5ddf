INSERT INTO block_validity (block, layer, valid)
SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::boolean[])
ON CONFLICT (block) DO UPDATE SET valid = excluded.valid WHERE block_validity.valid <> excluded.valid
