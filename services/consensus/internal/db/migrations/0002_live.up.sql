CREATE TABLE prepared_sets (
	epoch  bigint PRIMARY KEY,
	hash   bytea NOT NULL CHECK (length(hash) = 32),
	weight bigint NOT NULL
);
COMMENT ON TABLE prepared_sets IS 'The active set that the first ballots of this node''s identities name in an epoch.';

CREATE TABLE schedules (
	epoch   bigint NOT NULL,
	node_id bytea NOT NULL CHECK (length(node_id) = 32),
	atx     bytea NOT NULL CHECK (length(atx) = 32),
	beacon  bytea NOT NULL CHECK (length(beacon) = 4),
	-- One VRF proof of 80 bytes for each slot, in their order.
	proofs  bytea NOT NULL CHECK (length(proofs) % 80 = 0),
	PRIMARY KEY (epoch, node_id)
);
COMMENT ON TABLE schedules IS 'Proofs of eligibility of this node''s identities, so that a start need not make them again.';

CREATE TABLE built (
	node_id bytea PRIMARY KEY CHECK (length(node_id) = 32),
	layer   bigint NOT NULL
);
COMMENT ON TABLE built IS 'The last layer for which an identity''s ballot was signed to be published; it only grows.';
