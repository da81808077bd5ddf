SELECT DISTINCT node_id FROM tasks WHERE kind = 2 AND state IN (1, 2)
