UPDATE tasks SET state = 4, worker = NULL, heartbeat = NULL, error = $2, ended_at = clock_timestamp() WHERE id = $1
