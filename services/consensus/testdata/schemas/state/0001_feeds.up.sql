-- What consensus reads of state's tables.
CREATE TABLE blocks (seq bigint NOT NULL UNIQUE, id bytea PRIMARY KEY, layer bigint NOT NULL, height bigint NOT NULL, blob bytea NOT NULL);
CREATE TABLE layers (layer bigint PRIMARY KEY, applied_block bytea NOT NULL, state_root bytea);
