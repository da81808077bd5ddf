SELECT t.id, t.raw, t.header IS NOT NULL, EXISTS (SELECT FROM results r WHERE r.id = t.id)
FROM transactions t
WHERE t.id = ANY ($1::bytea[])
