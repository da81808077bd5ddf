CREATE TABLE outbox (
	id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	subject    text        NOT NULL CHECK (subject <> ''),
	body       bytea       NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	sent_at    timestamptz
);
COMMENT ON TABLE outbox IS 'Messages that the service committed to publish; sent_at is set once a stream has them.';
CREATE INDEX outbox_waiting ON outbox (id) WHERE sent_at IS NULL;
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;
