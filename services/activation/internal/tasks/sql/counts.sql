SELECT kind, state, count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8,
	sum(done)::float8, sum(total)::float8
FROM tasks WHERE state IN (1, 2) GROUP BY kind, state
