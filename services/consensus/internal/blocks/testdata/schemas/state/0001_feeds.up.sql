-- What consensus reads of state's tables.
CREATE TABLE blocks (seq bigint GENERATED ALWAYS AS IDENTITY, id bytea PRIMARY KEY, layer bigint NOT NULL, height bigint NOT NULL, blob bytea NOT NULL);
CREATE TABLE layers (layer bigint PRIMARY KEY, applied_block bytea NOT NULL, state_root bytea);
CREATE TABLE transactions (id bytea PRIMARY KEY, raw bytea NOT NULL, received bigint NOT NULL, header bytea);
CREATE TABLE results (id bytea PRIMARY KEY, header bytea NOT NULL, result bytea NOT NULL);
