SELECT t.id, t.raw, t.received, coalesce(r.header, t.header), r.result
FROM state.transactions t
LEFT JOIN state.results r ON r.id = t.id
WHERE t.id = ANY ($1::bytea[])
