SELECT node_id
FROM activation.malicious
