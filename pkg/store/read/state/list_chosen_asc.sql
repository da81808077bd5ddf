SELECT t.id, t.raw, t.received, coalesce(r.header, t.header), r.result
FROM state.transactions t
LEFT JOIN state.results r ON r.id = t.id
WHERE t.id = ANY ($1::bytea[])
	AND ($2::bigint IS NULL OR r.layer >= $2)
	AND ($3::bigint IS NULL OR r.layer <= $3)
	AND ($4::bytea IS NULL OR r.addresses @> ARRAY[$4])
ORDER BY r.layer NULLS FIRST, t.id
LIMIT $5 OFFSET $6
