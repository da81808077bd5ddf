CREATE TABLE tasks (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind       smallint NOT NULL CHECK (kind > 0),
	node_id    bytea NOT NULL CHECK (length(node_id) = 32),
	-- What makes two wishes the same task, beside kind and node.
	key        bytea NOT NULL,
	input      bytea NOT NULL,
	-- 1 waiting, 2 running, 3 done, 4 failed.
	state      smallint NOT NULL DEFAULT 1 CHECK (state IN (1, 2, 3, 4)),
	-- When the result is of no use any more.
	deadline   timestamptz NOT NULL DEFAULT 'infinity',
	not_before timestamptz NOT NULL DEFAULT '-infinity',
	attempts   integer NOT NULL DEFAULT 0,
	worker     text,
	heartbeat  timestamptz,
	-- In units of the kind: labels, bytes.
	done       bigint NOT NULL DEFAULT 0,
	total      bigint NOT NULL DEFAULT 0,
	result     bytea,
	-- Why it failed, or why it waits again.
	error      text NOT NULL DEFAULT '',
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	ended_at   timestamptz,
	UNIQUE (kind, node_id, key),
	CHECK ((state = 2) = (worker IS NOT NULL AND heartbeat IS NOT NULL)),
	CHECK ((state = 3) = (result IS NOT NULL)),
	CHECK ((state IN (3, 4)) = (ended_at IS NOT NULL))
);
COMMENT ON TABLE tasks IS 'Work for machines; the most urgent deadline goes first.';
COMMENT ON COLUMN tasks.attempts IS 'Tells takings of a task apart: only the last may beat and finish.';
CREATE INDEX tasks_waiting ON tasks (deadline, id) WHERE state = 1;
CREATE INDEX tasks_running ON tasks (heartbeat) WHERE state = 2;
CREATE INDEX tasks_due ON tasks (deadline) WHERE state IN (1, 2);
CREATE INDEX tasks_ended ON tasks (ended_at) WHERE state IN (3, 4);

CREATE TABLE spaces (
	node_id         bytea PRIMARY KEY CHECK (length(node_id) = 32),
	-- The disk that the data lies on; NULL while no worker has begun.
	store           text,
	commitment      bytea CHECK (length(commitment) = 32),
	units           bigint NOT NULL DEFAULT 0,
	labels_per_unit bigint NOT NULL DEFAULT 0,
	nonce           bigint,
	complete        boolean NOT NULL DEFAULT false,
	CHECK (NOT complete OR (store IS NOT NULL AND commitment IS NOT NULL AND nonce IS NOT NULL))
);
COMMENT ON TABLE spaces IS 'Where data of own identities lies; only workers with that disk get its tasks.';
CREATE INDEX spaces_by_store ON spaces (store);

CREATE TABLE post_services (
	node_id         bytea PRIMARY KEY CHECK (length(node_id) = 32),
	-- The process that has the connection; it says so again and again.
	holder          text NOT NULL,
	connection      bigint NOT NULL,
	seen            timestamptz NOT NULL,
	commitment      bytea NOT NULL CHECK (length(commitment) = 32),
	units           bigint NOT NULL,
	labels_per_unit bigint NOT NULL,
	nonce           bigint
);
COMMENT ON TABLE post_services IS 'Post-services that are connected: one for an identity.';
