UPDATE tasks SET state = 1, worker = NULL, heartbeat = NULL, error = $2,
	not_before = clock_timestamp() + $3::bigint * interval '1 millisecond'
WHERE id = $1
