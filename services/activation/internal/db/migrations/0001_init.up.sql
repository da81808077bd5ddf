CREATE TABLE poet_proofs (
	ref        bytea PRIMARY KEY CHECK (length(ref) = 32),
	leaves     bigint NOT NULL,
	statement  bytea NOT NULL CHECK (length(statement) = 32),
	service_id bytea NOT NULL,
	-- Text of the PoET's choice, which need not be text.
	round_id   bytea NOT NULL,
	blob       bytea NOT NULL
);
COMMENT ON TABLE poet_proofs IS 'Verified PoET proofs, as the bytes that arrived first.';
CREATE INDEX poet_proofs_by_round ON poet_proofs (service_id, round_id);

CREATE TABLE atxs (
	seq             bigint NOT NULL,
	id              bytea PRIMARY KEY CHECK (length(id) = 32),
	publish_epoch   bigint NOT NULL,
	node_id         bytea NOT NULL CHECK (length(node_id) = 32),
	coinbase        bytea NOT NULL CHECK (length(coinbase) = 24),
	weight          bigint NOT NULL,
	base_height     bigint NOT NULL,
	tick_count      bigint NOT NULL,
	sequence        bigint NOT NULL,
	vrf_nonce       bigint NOT NULL,
	effective_units bigint NOT NULL,
	commitment      bytea CHECK (length(commitment) = 32),
	marriage_atx    bytea CHECK (length(marriage_atx) = 32),
	-- Nanoseconds since 1970; 0 for an ATX of a checkpoint.
	received        bigint NOT NULL,
	validity        smallint NOT NULL CHECK (validity IN (0, 1, 2)),
	version         smallint NOT NULL,
	-- NULL for an ATX of a checkpoint.
	blob            bytea
);
ALTER TABLE atxs ALTER COLUMN blob SET STORAGE EXTERNAL; -- hashes do not compress
COMMENT ON TABLE atxs IS 'Activations with their derived columns, as the bytes that arrived.';
COMMENT ON COLUMN atxs.seq IS 'Place in the feed; commits become visible in this order.';
COMMENT ON COLUMN atxs.validity IS 'All labels looked at? 0 unknown, 1 and good, 2 and bad.';
CREATE UNIQUE INDEX atxs_feed ON atxs (seq);
CREATE INDEX atxs_by_node ON atxs (node_id, publish_epoch);
CREATE INDEX atxs_by_epoch ON atxs (publish_epoch);
CREATE INDEX atxs_commitment ON atxs (node_id, publish_epoch, seq) WHERE commitment IS NOT NULL;
CREATE INDEX atxs_merged ON atxs (marriage_atx, publish_epoch, seq) WHERE marriage_atx IS NOT NULL;

CREATE TABLE posts (
	atx           bytea NOT NULL CHECK (length(atx) = 32),
	node_id       bytea NOT NULL CHECK (length(node_id) = 32),
	-- NULL where there is none, or where a checkpoint does not tell.
	previous      bytea CHECK (length(previous) = 32),
	prev_index    bigint NOT NULL,
	units         bigint NOT NULL,
	publish_epoch bigint NOT NULL,
	-- Of the ATX in its feed, then the place in the ATX.
	seq           bigint NOT NULL,
	place         smallint NOT NULL,
	PRIMARY KEY (atx, node_id)
);
COMMENT ON TABLE posts IS 'What each identity in an ATX brought along; units are as declared.';
CREATE INDEX posts_by_node ON posts (node_id, publish_epoch);

CREATE TABLE marriages (
	seq         bigint GENERATED ALWAYS AS IDENTITY,
	node_id     bytea PRIMARY KEY CHECK (length(node_id) = 32),
	marriage_id bigint NOT NULL CHECK (marriage_id > 0),
	atx         bytea NOT NULL CHECK (length(atx) = 32),
	place       smallint NOT NULL,
	target      bytea NOT NULL CHECK (length(target) = 32),
	signature   bytea NOT NULL CHECK (length(signature) = 64)
);
COMMENT ON TABLE marriages IS 'Married identities; seq is the order of insertion, which marriage indices count in.';
CREATE INDEX marriages_sets ON marriages (marriage_id, seq);

CREATE TABLE malicious (
	seq      bigint NOT NULL,
	node_id  bytea PRIMARY KEY CHECK (length(node_id) = 32),
	received bigint NOT NULL,
	proof    bytea NOT NULL
);
COMMENT ON TABLE malicious IS 'Identities with the first proof of the first generation against them.';
CREATE UNIQUE INDEX malicious_feed ON malicious (seq);

CREATE TABLE malfeasance_v2 (
	node_id     bytea PRIMARY KEY CHECK (length(node_id) = 32),
	-- NULL: two ATXs collide, which nothing but the cache of active ATXs minds.
	marriage_id bigint,
	atx         bytea NOT NULL,
	received    bigint NOT NULL
);
COMMENT ON TABLE malfeasance_v2 IS 'What was found of the second generation, of which nothing is told to others.';

CREATE TABLE signed_slots (
	node_id   bytea NOT NULL CHECK (length(node_id) = 32),
	kind      smallint NOT NULL CHECK (kind > 0),
	major     bigint NOT NULL CHECK (major >= 0),
	minor     bigint NOT NULL CHECK (minor >= 0),
	hash      bytea NOT NULL CHECK (length(hash) = 32),
	term      bigint NOT NULL CHECK (term > 0),
	signed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (node_id, kind, major, minor)
);
COMMENT ON TABLE signed_slots IS 'The only bytes that an identity may sign in a slot (blake3, with prefix and domain).';

CREATE FUNCTION signed_slots_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'a signed slot is never changed or deleted';
END
$$;
CREATE TRIGGER signed_slots_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON signed_slots
	FOR EACH STATEMENT EXECUTE FUNCTION signed_slots_stay();

CREATE TABLE quarantine (
	-- Empty: every identity.
	node_id       bytea NOT NULL CHECK (length(node_id) IN (0, 32)),
	kind          smallint NOT NULL CHECK (kind > 0),
	through_major bigint NOT NULL,
	reason        text NOT NULL,
	since         timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (node_id, kind)
);
COMMENT ON TABLE quarantine IS 'Slots up to through_major may have been signed in rows that were lost; they are not signed any more.';

CREATE TABLE audit (
	id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at      timestamptz NOT NULL DEFAULT clock_timestamp(),
	node_id bytea,
	event   text NOT NULL CHECK (event <> ''),
	kind    smallint,
	major   bigint,
	minor   bigint,
	hash    bytea,
	term    bigint,
	detail  text NOT NULL DEFAULT ''
);
COMMENT ON TABLE audit IS 'Every signature and refusal, every change of a lease; kept.';
