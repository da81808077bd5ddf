CREATE TABLE lease (
	name       text        PRIMARY KEY CHECK (name <> ''),
	term       bigint      NOT NULL CHECK (term > 0),
	holder     text        NOT NULL CHECK (holder <> ''),
	expires_at timestamptz NOT NULL
);
COMMENT ON TABLE lease IS 'Who owns what, and under which term. Rows are never deleted, terms only grow.';

CREATE FUNCTION lease_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		RAISE EXCEPTION 'a lease is never deleted';
	END IF;
	IF NEW.term < OLD.term OR NEW.name <> OLD.name THEN
		RAISE EXCEPTION 'the term of a lease only grows';
	END IF;
	IF NEW.holder <> OLD.holder AND NEW.term = OLD.term THEN
		RAISE EXCEPTION 'a new holder wants a new term';
	END IF;
	RETURN NEW;
END
$$;

CREATE TRIGGER lease_only_grows BEFORE UPDATE OR DELETE ON lease
	FOR EACH ROW EXECUTE FUNCTION lease_only_grows();
