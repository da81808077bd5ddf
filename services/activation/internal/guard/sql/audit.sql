INSERT INTO audit (node_id, event, kind, major, minor, hash, term, detail)
SELECT * FROM unnest($1::bytea[], $2::text[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bigint[], $8::text[])
