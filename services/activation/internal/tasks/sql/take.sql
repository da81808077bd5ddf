WITH next AS (
	SELECT t.id
	FROM tasks AS t
	LEFT JOIN spaces AS s ON s.node_id = t.node_id
	WHERE t.state = 1 AND t.kind = ANY ($2::smallint[])
		AND t.not_before <= clock_timestamp() AND t.deadline > clock_timestamp()
		AND CASE t.kind
			WHEN 1 THEN $3::text <> '' AND coalesce(s.store, $3) = $3
			WHEN 2 THEN s.store = $3 AND s.complete AND NOT EXISTS (
				SELECT FROM post_services AS p
				WHERE p.node_id = t.node_id AND p.seen > clock_timestamp() - $5::bigint * interval '1 millisecond')
			ELSE true
		END
	ORDER BY t.deadline, t.id
	LIMIT $4
	FOR UPDATE OF t SKIP LOCKED
), taken AS (
	UPDATE tasks AS t SET state = 2, worker = $1, attempts = t.attempts + 1, heartbeat = clock_timestamp(), error = ''
	FROM next WHERE t.id = next.id
	RETURNING t.id, t.attempts, t.kind, t.node_id, t.deadline, t.input
), claimed AS (
	-- Who begins an identity's data keeps it.
	INSERT INTO spaces AS s (node_id, store)
	SELECT node_id, $3 FROM taken WHERE kind = 1
	ON CONFLICT (node_id) DO UPDATE SET store = excluded.store WHERE s.store IS NULL
)
SELECT id, attempts, kind, node_id, CASE WHEN deadline = 'infinity' THEN 0
	ELSE greatest(1, extract(epoch FROM deadline - clock_timestamp()) * 1000)::bigint END, input
FROM taken ORDER BY deadline, id
