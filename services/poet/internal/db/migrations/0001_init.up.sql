CREATE TABLE server (
	single        boolean PRIMARY KEY DEFAULT true CHECK (single),
	-- What the service signs as, and its first proof-of-work challenge.
	seed          bytea NOT NULL CHECK (length(seed) = 32),
	pow_challenge bytea NOT NULL CHECK (length(pow_challenge) = 32),
	-- The network's calendar that the rounds are numbered by.
	schedule      text NOT NULL
);
COMMENT ON TABLE server IS 'One row: who this PoET is.';

CREATE TABLE rounds (
	round     bigint PRIMARY KEY CHECK (round >= 0),
	-- NULL while it takes registrations.
	closed_at timestamptz,
	-- The membership root; empty without members.
	statement bytea,
	-- Set when the worker gave up on it, with the reason.
	skipped   text,
	CHECK ((closed_at IS NULL) = (statement IS NULL))
);
COMMENT ON TABLE rounds IS 'Rounds that registrations were taken for.';

CREATE TABLE registrations (
	round     bigint NOT NULL REFERENCES rounds,
	node_id   bytea NOT NULL CHECK (length(node_id) = 32),
	challenge bytea NOT NULL CHECK (length(challenge) = 32),
	PRIMARY KEY (round, node_id)
);
COMMENT ON TABLE registrations IS 'One challenge an identity and round.';

CREATE TABLE proofs (
	round bigint PRIMARY KEY REFERENCES rounds,
	-- In the reference format, with members (spec 03 §9.1).
	record bytea NOT NULL,
	root   bytea NOT NULL,
	leaves bigint NOT NULL,
	made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE proofs IS 'Finished rounds.';
