-- A task that failed is tried again; one that waits, runs or is done stays, but
-- is wanted for as long as the latest wish says. Other settings for data begin
-- a new task, unless it runs.
INSERT INTO tasks AS t (kind, node_id, key, input, deadline)
VALUES ($1, $2, $3, $4, coalesce(clock_timestamp() + $5::bigint * interval '1 millisecond', 'infinity'))
ON CONFLICT (kind, node_id, key) DO UPDATE SET
	input = CASE WHEN t.state = 2 THEN t.input ELSE excluded.input END,
	deadline = CASE WHEN t.state = 4 THEN excluded.deadline ELSE greatest(t.deadline, excluded.deadline) END,
	state = CASE WHEN t.state = 4 OR (t.state = 3 AND t.input <> excluded.input) OR (t.state = 3 AND $6) THEN 1 ELSE t.state END,
	not_before = CASE WHEN t.state IN (3, 4) THEN '-infinity' ELSE t.not_before END,
	result = CASE WHEN t.state = 3 AND (t.input <> excluded.input OR $6) THEN NULL ELSE t.result END,
	ended_at = CASE WHEN t.state = 4 OR (t.state = 3 AND (t.input <> excluded.input OR $6)) THEN NULL ELSE t.ended_at END,
	error = CASE WHEN t.state = 4 THEN '' ELSE t.error END
RETURNING id, state, input = $4, coalesce(result, ''), error
