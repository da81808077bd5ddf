SELECT n.node_id, a.publish_epoch, a.commitment
FROM unnest($1::bytea[]) AS n (node_id)
CROSS JOIN LATERAL (
	SELECT publish_epoch, commitment
	FROM atxs
	WHERE atxs.node_id = n.node_id AND commitment IS NOT NULL
	ORDER BY publish_epoch DESC, seq DESC
	LIMIT 1
) AS a
