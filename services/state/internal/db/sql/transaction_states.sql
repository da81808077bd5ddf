SELECT t.id, t.header IS NOT NULL, t.submitted, EXISTS (SELECT FROM results r WHERE r.id = t.id)
FROM transactions t
WHERE t.id = ANY ($1::bytea[])
