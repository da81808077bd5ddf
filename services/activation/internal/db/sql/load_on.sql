SELECT q.node_id, q.previous, p.atx
FROM unnest($1::bytea[], $2::bytea[]) AS q (node_id, previous)
CROSS JOIN LATERAL (
	SELECT atx
	FROM posts
	WHERE posts.node_id = q.node_id AND posts.previous IS NOT DISTINCT FROM q.previous
	ORDER BY seq, place
	LIMIT 1
) AS p
