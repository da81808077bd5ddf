INSERT INTO marriages (node_id, marriage_id, atx, place, target, signature)
SELECT node_id, marriage_id, atx, place, target, signature
FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::smallint[], $5::bytea[], $6::bytea[])
	WITH ORDINALITY AS m (node_id, marriage_id, atx, place, target, signature, n)
ORDER BY n
