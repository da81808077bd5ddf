SELECT q.node_id, q.epoch, p.atx
FROM unnest($1::bytea[], $2::bigint[]) AS q (node_id, epoch)
CROSS JOIN LATERAL (
	SELECT atx
	FROM posts
	WHERE posts.node_id = q.node_id AND publish_epoch = q.epoch
	ORDER BY seq, place
	LIMIT 1
) AS p
