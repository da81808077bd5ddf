SELECT node_id
FROM malicious
WHERE node_id = ANY ($1::bytea[])
