SELECT seq, node_id, received, proof
FROM activation.malicious
WHERE ($1::bytea[] IS NULL OR node_id = ANY ($1))
	AND ($2::bytea IS NULL OR node_id > $2)
ORDER BY node_id
LIMIT $3 OFFSET $4
