SELECT id, state, coalesce(result, ''), error FROM tasks WHERE id = ANY ($1::bigint[]) AND state IN (3, 4)
