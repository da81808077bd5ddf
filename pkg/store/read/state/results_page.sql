SELECT r.id, t.raw, t.received, r.header, r.result
FROM state.results r
JOIN state.transactions t ON t.id = r.id
WHERE r.layer BETWEEN $1 AND $2 AND (r.layer, r.id) > ($1, $3::bytea)
ORDER BY r.layer, r.id
LIMIT $4
