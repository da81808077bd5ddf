-- Proofs for identities whose post-services are connected to this process.
WITH next AS (
	SELECT t.id
	FROM tasks AS t
	WHERE t.state = 1 AND t.kind = 2 AND t.node_id = ANY ($2::bytea[])
		AND t.not_before <= clock_timestamp() AND t.deadline > clock_timestamp()
	ORDER BY t.deadline, t.id
	FOR UPDATE OF t SKIP LOCKED
)
UPDATE tasks AS t SET state = 2, worker = $1, attempts = t.attempts + 1, heartbeat = clock_timestamp(), error = ''
FROM next WHERE t.id = next.id
RETURNING t.id, t.attempts, t.kind, t.node_id, CASE WHEN t.deadline = 'infinity' THEN 0
	ELSE greatest(1, extract(epoch FROM t.deadline - clock_timestamp()) * 1000)::bigint END, t.input
