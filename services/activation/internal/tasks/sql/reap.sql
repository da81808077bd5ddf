WITH late AS (
	UPDATE tasks SET state = 4, worker = NULL, heartbeat = NULL, error = 'not done in time', ended_at = clock_timestamp()
	WHERE state IN (1, 2) AND deadline <= clock_timestamp()
	RETURNING kind
), lost AS (
	UPDATE tasks SET state = 1, error = 'worker ' || worker || ' was lost', worker = NULL, heartbeat = NULL, not_before = '-infinity'
	WHERE state = 2 AND deadline > clock_timestamp() AND heartbeat < clock_timestamp() - $1::bigint * interval '1 millisecond'
	RETURNING kind
), old AS (
	DELETE FROM tasks WHERE state IN (3, 4) AND kind <> 1 AND ended_at < clock_timestamp() - $2::bigint * interval '1 millisecond'
		AND deadline < clock_timestamp()
)
SELECT kind, true FROM lost UNION ALL SELECT kind, false FROM late
