INSERT INTO activesets (id, epoch, blob)
SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[])
ON CONFLICT (id) DO NOTHING
