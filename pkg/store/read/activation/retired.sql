SELECT node_id
FROM activation.retired
ORDER BY node_id
