SELECT node_id FROM activation.malicious WHERE node_id = ANY($1::bytea[])
