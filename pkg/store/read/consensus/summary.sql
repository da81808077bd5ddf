SELECT l.layer,
	(SELECT count(*) FROM consensus.ballots b WHERE b.layer = l.layer),
	c.block, c.blob IS NOT NULL,
	COALESCE(own.processed, false)
FROM generate_series($1::bigint, $2::bigint) AS l (layer)
LEFT JOIN consensus.layers own ON own.layer = l.layer
LEFT JOIN LATERAL (
	SELECT block, blob FROM consensus.certificates c
	WHERE c.layer = l.layer AND c.valid
	ORDER BY c.blob IS NULL, c.block
	LIMIT 1
) c ON true
ORDER BY l.layer
