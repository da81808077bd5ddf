-- Orders in which the API lists what this schema holds. Each takes the place of an
-- index that began with the same column.
DROP INDEX accounts_layer;
CREATE INDEX accounts_layer ON accounts (layer DESC, address);
DROP INDEX rewards_layer;
CREATE INDEX rewards_layer ON rewards (layer, coinbase, node_id);
DROP INDEX rewards_coinbase;
CREATE INDEX rewards_coinbase ON rewards (coinbase, layer, node_id);
DROP INDEX results_layer;
CREATE INDEX results_layer ON results (layer, id);

CREATE TABLE waiting (id bytea PRIMARY KEY);
COMMENT ON TABLE waiting IS 'Transactions without a result, which lists show first; kept by triggers on transactions and results.';
INSERT INTO waiting SELECT id FROM transactions t WHERE NOT EXISTS (SELECT FROM results r WHERE r.id = t.id);

CREATE FUNCTION waiting_stored() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	INSERT INTO waiting
	SELECT id FROM changed c WHERE NOT EXISTS (SELECT FROM results r WHERE r.id = c.id)
	ON CONFLICT DO NOTHING;
	RETURN NULL;
END
$$;
CREATE TRIGGER waiting_stored AFTER INSERT ON transactions
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION waiting_stored();

CREATE FUNCTION waiting_executed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	DELETE FROM waiting w USING changed c WHERE w.id = c.id;
	RETURN NULL;
END
$$;
CREATE TRIGGER waiting_executed AFTER INSERT ON results
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION waiting_executed();

CREATE FUNCTION waiting_reverted() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	INSERT INTO waiting
	SELECT id FROM changed c WHERE EXISTS (SELECT FROM transactions t WHERE t.id = c.id)
	ON CONFLICT DO NOTHING;
	RETURN NULL;
END
$$;
CREATE TRIGGER waiting_reverted AFTER DELETE ON results
	REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION waiting_reverted();
