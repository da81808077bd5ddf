SELECT seq, node_id, received, proof
FROM activation.malicious
WHERE seq > $1
ORDER BY seq
LIMIT $2
