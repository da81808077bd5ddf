UPDATE transactions t
SET header = n.header, principal = n.principal, nonce = n.nonce
FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[]) AS n (id, header, principal, nonce)
WHERE t.id = n.id AND t.header IS NULL
