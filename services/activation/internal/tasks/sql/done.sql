UPDATE tasks SET state = 3, result = $2, worker = NULL, heartbeat = NULL, error = '', ended_at = clock_timestamp(),
	done = greatest(done, total)
WHERE id = $1
