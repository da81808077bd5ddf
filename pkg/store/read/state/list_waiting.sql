SELECT t.id, t.raw, t.received, t.header, NULL::bytea
FROM (SELECT id FROM state.waiting ORDER BY id LIMIT $1 OFFSET $2) AS w
JOIN state.transactions t USING (id)
ORDER BY t.id
