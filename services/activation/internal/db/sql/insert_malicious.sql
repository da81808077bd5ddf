INSERT INTO malicious (seq, node_id, received, proof)
SELECT h.seq + row_number() OVER (ORDER BY m.n), m.node_id, m.received, m.proof
FROM unnest($1::bytea[], $2::bigint[], $3::bytea[]) WITH ORDINALITY AS m (node_id, received, proof, n),
	(SELECT coalesce(max(seq), 0) AS seq FROM malicious) AS h
ON CONFLICT (node_id) DO NOTHING
RETURNING node_id
