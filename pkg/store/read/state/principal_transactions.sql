SELECT t.id, t.header, 0::bigint, t.received
FROM state.transactions t
WHERE t.principal = $1 AND NOT EXISTS (SELECT FROM state.results r WHERE r.id = t.id)
UNION ALL
SELECT r.id, r.header, r.layer, 0::bigint
FROM state.results r
WHERE r.addresses @> ARRAY[$1::bytea] AND substring(r.header FROM 1 FOR 24) = $1 AND r.layer BETWEEN $2 AND $3
