SELECT q.marriage_atx, q.epoch, a.id
FROM unnest($1::bytea[], $2::bigint[]) AS q (marriage_atx, epoch)
CROSS JOIN LATERAL (
	SELECT id
	FROM atxs
	WHERE atxs.marriage_atx = q.marriage_atx AND publish_epoch = q.epoch
	ORDER BY seq
	LIMIT 1
) AS a
