CREATE TABLE ballots (
	id           bytea PRIMARY KEY CHECK (length(id) = 20),
	hash         bytea NOT NULL CHECK (length(hash) = 32),
	layer        bigint NOT NULL,
	atx          bytea NOT NULL CHECK (length(atx) = 32),
	node_id      bytea NOT NULL CHECK (length(node_id) = 32),
	signature    bytea NOT NULL CHECK (length(signature) = 64),
	-- The eligibility count of a first ballot; NULL in those that refer to one.
	slots        bigint,
	blob         bytea NOT NULL
);
COMMENT ON TABLE ballots IS 'Valid ballots, as the bytes that arrived.';
CREATE INDEX ballots_by_layer ON ballots (layer, node_id);
CREATE INDEX ballots_by_atx ON ballots (atx, layer);

CREATE TABLE activesets (
	id    bytea PRIMARY KEY CHECK (length(id) = 32),
	epoch bigint NOT NULL,
	blob  bytea NOT NULL
);
COMMENT ON TABLE activesets IS 'Active sets by hash, as the bytes that arrived.';

CREATE TABLE certificates (
	layer bigint NOT NULL,
	block bytea NOT NULL CHECK (length(block) = 20),
	-- NULL for an output of hare that nobody certified here.
	blob  bytea,
	valid boolean NOT NULL,
	PRIMARY KEY (layer, block)
);
COMMENT ON TABLE certificates IS 'Outputs of hare, and certificates for them.';

CREATE TABLE beacons (
	epoch  bigint PRIMARY KEY,
	beacon bytea NOT NULL CHECK (length(beacon) = 4)
);

CREATE TABLE layers (
	layer           bigint PRIMARY KEY,
	weak_coin       boolean,
	processed       boolean NOT NULL DEFAULT false,
	aggregated_hash bytea CHECK (length(aggregated_hash) = 32)
);
COMMENT ON COLUMN layers.aggregated_hash IS 'The opinion with which the state followed the layer; NULL where it has not.';

CREATE TABLE block_validity (
	block bytea PRIMARY KEY CHECK (length(block) = 20),
	layer bigint NOT NULL,
	valid boolean NOT NULL
);
CREATE INDEX block_validity_by_layer ON block_validity (layer);

CREATE TABLE network (
	one_row    boolean PRIMARY KEY DEFAULT true CHECK (one_row),
	genesis_id bytea NOT NULL CHECK (length(genesis_id) = 20)
);
COMMENT ON TABLE network IS 'The network that the rows belong to.';
