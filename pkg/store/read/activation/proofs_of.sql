SELECT seq, node_id, received, proof
FROM activation.malicious
WHERE node_id = ANY ($1::bytea[])
ORDER BY node_id
