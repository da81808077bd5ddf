INSERT INTO transactions AS t (id, raw, received, submitted, header, principal, nonce)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::boolean[], $5::bytea[], $6::bytea[], $7::bigint[])
ON CONFLICT (id) DO UPDATE
SET header = excluded.header, principal = excluded.principal, nonce = excluded.nonce,
	submitted = t.submitted OR excluded.submitted
WHERE t.header IS NULL AND excluded.header IS NOT NULL
