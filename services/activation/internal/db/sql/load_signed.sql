SELECT q.node_id, q.epoch, a.id
FROM unnest($1::bytea[], $2::bigint[]) AS q (node_id, epoch)
CROSS JOIN LATERAL (
	SELECT id
	FROM atxs
	WHERE atxs.node_id = q.node_id AND publish_epoch = q.epoch
	ORDER BY seq
	LIMIT 1
) AS a
