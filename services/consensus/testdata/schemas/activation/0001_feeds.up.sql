-- What consensus reads of activation's tables.
CREATE TABLE atxs (
	seq bigint NOT NULL UNIQUE, id bytea PRIMARY KEY, publish_epoch bigint NOT NULL, node_id bytea NOT NULL,
	coinbase bytea NOT NULL, weight bigint NOT NULL, base_height bigint NOT NULL, tick_count bigint NOT NULL,
	vrf_nonce bigint NOT NULL, received bigint NOT NULL, effective_units bigint NOT NULL DEFAULT 1
);
CREATE TABLE lease (name text PRIMARY KEY, holder text NOT NULL, expires_at timestamptz NOT NULL);
CREATE TABLE malicious (seq bigint NOT NULL UNIQUE, node_id bytea PRIMARY KEY, received bigint NOT NULL);
