WITH open AS (
	SELECT round FROM rounds WHERE round = $1 AND closed_at IS NULL FOR SHARE
), new AS (
	INSERT INTO registrations (round, node_id, challenge)
	SELECT open.round, r.node_id, r.challenge
	FROM open, unnest($2::bytea[], $3::bytea[]) AS r (node_id, challenge)
	ORDER BY r.node_id
	ON CONFLICT DO NOTHING
	RETURNING node_id, challenge
)
SELECT (SELECT count(*) FROM open), (SELECT count(*) FROM new)
