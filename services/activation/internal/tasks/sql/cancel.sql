UPDATE tasks SET state = 4, worker = NULL, heartbeat = NULL, error = 'cancelled', ended_at = clock_timestamp()
WHERE node_id = $1 AND state IN (1, 2)
