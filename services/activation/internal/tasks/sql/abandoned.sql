UPDATE tasks SET state = 1, error = 'worker ' || worker || ' was lost', worker = NULL, heartbeat = NULL, not_before = '-infinity'
WHERE state = 2
