-- The life of identities: each table is a step that a restart, or another
-- process, goes on from. Writers hold the lease of the identity.

CREATE TABLE initialisations (
	node_id    bytea PRIMARY KEY CHECK (length(node_id) = 32),
	commitment bytea NOT NULL CHECK (length(commitment) = 32),
	units      bigint NOT NULL,
	complete   boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE initialisations IS 'What the data of identities was begun with; it stays so for the life of the data.';

CREATE TABLE initial_posts (
	node_id    bytea PRIMARY KEY CHECK (length(node_id) = 32),
	nonce      bigint NOT NULL,
	indices    bytea NOT NULL,
	pow        bigint NOT NULL,
	challenge  bytea NOT NULL CHECK (length(challenge) = 32),
	units      bigint NOT NULL,
	commitment bytea NOT NULL CHECK (length(commitment) = 32),
	vrf_nonce  bigint NOT NULL
);
COMMENT ON TABLE initial_posts IS 'A verified proof of space of each identity: its first, or one that certifiers are shown.';

CREATE TABLE challenges (
	node_id       bytea PRIMARY KEY CHECK (length(node_id) = 32),
	publish_epoch bigint NOT NULL,
	sequence      bigint NOT NULL,
	previous      bytea CHECK (length(previous) = 32),
	positioning   bytea NOT NULL CHECK (length(positioning) = 32),
	-- Of an initial ATX.
	commitment    bytea CHECK (length(commitment) = 32),
	nonce         bigint,
	indices       bytea,
	pow           bigint,
	-- Once a proof of a PoET is chosen: its reference, and the nodes of the membership, 32 bytes each.
	poet_ref      bytea CHECK (length(poet_ref) = 32),
	poet          text,
	member_nodes  bytea,
	member_index  bigint,
	CHECK ((previous IS NULL) = (commitment IS NOT NULL AND nonce IS NOT NULL AND indices IS NOT NULL AND pow IS NOT NULL)),
	CHECK ((poet_ref IS NULL) = (member_nodes IS NULL AND member_index IS NULL))
);
COMMENT ON TABLE challenges IS 'What each identity registers with PoETs, and the proof that came of it.';

CREATE TABLE registrations (
	node_id   bytea NOT NULL CHECK (length(node_id) = 32),
	poet      text NOT NULL,
	challenge bytea NOT NULL CHECK (length(challenge) = 32),
	round     text NOT NULL,
	-- Nanoseconds since 1970.
	round_end bigint NOT NULL,
	PRIMARY KEY (node_id, poet)
);
COMMENT ON TABLE registrations IS 'PoETs that took an identity''s challenge, by their normalised address.';

CREATE TABLE niposts (
	node_id         bytea PRIMARY KEY CHECK (length(node_id) = 32),
	nonce           bigint NOT NULL,
	indices         bytea NOT NULL,
	pow             bigint NOT NULL,
	labels_per_unit bigint NOT NULL,
	units           bigint NOT NULL,
	vrf_nonce       bigint NOT NULL,
	-- Fixed with the proof, so that the ATX has the same bytes whenever it is assembled.
	coinbase        bytea NOT NULL CHECK (length(coinbase) = 24)
);
COMMENT ON TABLE niposts IS 'The proof of space on the chosen PoET proof: all that an ATX lacked.';

CREATE TABLE certificates (
	node_id   bytea NOT NULL CHECK (length(node_id) = 32),
	certifier bytea NOT NULL,
	data      bytea NOT NULL,
	signature bytea NOT NULL,
	PRIMARY KEY (node_id, certifier)
);
COMMENT ON TABLE certificates IS 'What lets identities register with PoETs without a proof of work.';

CREATE TABLE steps (
	node_id       bytea PRIMARY KEY CHECK (length(node_id) = 32),
	name          text NOT NULL,
	step          text NOT NULL,
	publish_epoch bigint NOT NULL DEFAULT 0,
	-- Nanoseconds since 1970; 0 where nothing is waited for.
	until         bigint NOT NULL DEFAULT 0,
	note          text NOT NULL DEFAULT '',
	since         timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE steps IS 'Where each identity is in its life, for people to look at; nothing depends on it.';

CREATE TABLE members (
	instance   text PRIMARY KEY CHECK (instance <> ''),
	-- 32 bytes for each identity whose key the process has.
	identities bytea NOT NULL,
	expires_at timestamptz NOT NULL
);
COMMENT ON TABLE members IS 'Processes that share the identities, as long as they are alive.';

CREATE TABLE retired (
	node_id bytea PRIMARY KEY CHECK (length(node_id) = 32),
	since   timestamptz NOT NULL DEFAULT clock_timestamp(),
	reason  text NOT NULL
);
COMMENT ON TABLE retired IS 'Identities that moved elsewhere; nothing is signed for them here.';
