CREATE TABLE executing (layer bigint PRIMARY KEY);
COMMENT ON TABLE executing IS 'Layers of which the state executes hare''s output before there is a block: until the output is stored, a crash leaves a block that nobody named.';
