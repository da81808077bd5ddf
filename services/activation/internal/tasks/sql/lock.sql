SELECT kind, node_id, state, attempts, deadline <= clock_timestamp(), coalesce(result, ''), error
FROM tasks WHERE id = $1 FOR UPDATE
