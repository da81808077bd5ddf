SELECT t.id, t.header, r.id IS NOT NULL
FROM state.transactions t LEFT JOIN state.results r ON r.id = t.id
WHERE t.id = ANY($1::bytea[])
