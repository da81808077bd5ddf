-- What the disk does not have any more, but for what is being made on it now.
UPDATE spaces AS s SET store = NULL, complete = false, nonce = NULL
WHERE s.store = $1 AND NOT s.node_id = ANY ($2::bytea[])
	AND NOT EXISTS (SELECT FROM tasks AS t WHERE t.kind = 1 AND t.node_id = s.node_id AND t.state = 2)
