CREATE TABLE genesis (
	single          boolean PRIMARY KEY DEFAULT true CHECK (single),
	genesis_id      bytea   NOT NULL CHECK (octet_length(genesis_id) = 20),
	accounts_sum    bytea   NOT NULL CHECK (octet_length(accounts_sum) = 32),
	effective_layer bigint  NOT NULL
);
COMMENT ON TABLE genesis IS 'What the rows of this schema started from; one row, written once.';

CREATE TABLE layers (
	layer         bigint PRIMARY KEY,
	seq           bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	applied_block bytea  NOT NULL CHECK (octet_length(applied_block) = 20),
	state_root    bytea  CHECK (octet_length(state_root) = 32),
	executed      bigint NOT NULL DEFAULT 0,
	ineffective   bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE layers IS 'The layers that the accounts hold, without gaps. The highest is how far the state is.';
COMMENT ON COLUMN layers.seq IS 'Tells this application of a layer from an earlier one that was reverted.';
COMMENT ON COLUMN layers.state_root IS 'Null for the layer that the state started from.';

CREATE TABLE blocks (
	id     bytea  PRIMARY KEY CHECK (octet_length(id) = 20),
	seq    bigint NOT NULL UNIQUE,
	layer  bigint NOT NULL,
	height bigint NOT NULL,
	blob   bytea  NOT NULL
);
COMMENT ON TABLE blocks IS 'Blocks as they arrived. They become visible in the order of seq.';
CREATE INDEX blocks_layer ON blocks (layer);

CREATE TABLE transactions (
	id        bytea   PRIMARY KEY CHECK (octet_length(id) = 32),
	raw       bytea   NOT NULL,
	received  bigint  NOT NULL,
	submitted boolean NOT NULL DEFAULT false,
	header    bytea,
	principal bytea   CHECK (octet_length(principal) = 24),
	nonce     bigint,
	CHECK (num_nulls(header, principal, nonce) IN (0, 3))
);
COMMENT ON TABLE transactions IS 'Raw transactions; those with a header were verified. What was executed has a row in results.';
COMMENT ON COLUMN transactions.received IS 'Nanoseconds since 1970.';
COMMENT ON COLUMN transactions.submitted IS 'It came from a client of this node and is published by it.';
-- Flipping the sign bit makes bigint sort like the unsigned nonce it stands for.
CREATE INDEX transactions_principal ON transactions (principal, (nonce # '-9223372036854775808'::bigint))
	WHERE header IS NOT NULL;

CREATE TABLE block_transactions (
	id    bytea  NOT NULL,
	layer bigint NOT NULL,
	block bytea  NOT NULL,
	PRIMARY KEY (id, layer, block)
);
COMMENT ON TABLE block_transactions IS 'Which stored blocks include a transaction.';

CREATE TABLE accounts (
	address   bytea  NOT NULL CHECK (octet_length(address) = 24),
	layer     bigint NOT NULL,
	balance   bigint NOT NULL,
	next_nonce bigint NOT NULL,
	template  bytea  CHECK (octet_length(template) = 24),
	state     bytea  NOT NULL,
	PRIMARY KEY (address, layer)
);
COMMENT ON TABLE accounts IS 'A row for each version: the account as it was after the layer.';
CREATE INDEX accounts_layer ON accounts (layer);

CREATE TABLE rewards (
	node_id      bytea  NOT NULL CHECK (octet_length(node_id) = 32),
	layer        bigint NOT NULL,
	coinbase     bytea  NOT NULL CHECK (octet_length(coinbase) = 24),
	total_reward bigint NOT NULL,
	layer_reward bigint NOT NULL,
	PRIMARY KEY (node_id, layer)
);
CREATE INDEX rewards_layer ON rewards (layer);
CREATE INDEX rewards_coinbase ON rewards (coinbase, layer);

CREATE TABLE results (
	id        bytea   PRIMARY KEY,
	layer     bigint  NOT NULL,
	block     bytea   NOT NULL,
	header    bytea   NOT NULL,
	result    bytea   NOT NULL,
	addresses bytea[] NOT NULL
);
COMMENT ON TABLE results IS 'Executed transactions: header and result in SCALE, and the accounts they touched.';
CREATE INDEX results_layer ON results (layer);
-- New entries wait in a list, so that a big block does not pay for a search tree.
CREATE INDEX results_addresses ON results USING gin (addresses) WITH (fastupdate = on, gin_pending_list_limit = 65536);
