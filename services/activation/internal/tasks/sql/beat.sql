WITH beats AS (
	SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[]) AS b (id, attempt, done, total)
), kept AS (
	UPDATE tasks AS t SET heartbeat = clock_timestamp(), done = b.done, total = b.total
	FROM beats AS b
	WHERE t.id = b.id AND t.attempts = b.attempt AND t.state = 2 AND t.deadline > clock_timestamp()
	RETURNING t.id, t.attempts
)
SELECT id FROM beats WHERE (id, attempt) NOT IN (SELECT id, attempts FROM kept)
