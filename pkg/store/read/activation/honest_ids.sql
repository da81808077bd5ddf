SELECT a.id
FROM activation.atxs a
WHERE a.publish_epoch = $1
	AND NOT EXISTS (SELECT FROM activation.malicious m WHERE m.node_id = a.node_id)
ORDER BY a.id
