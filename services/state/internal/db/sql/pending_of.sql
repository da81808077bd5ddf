SELECT t.id, t.header, t.received, coalesce(n.layer, 0), coalesce(n.block, '')
FROM unnest($1::bytea[], $2::bigint[]) AS k (principal, nonce)
JOIN transactions t ON t.principal = k.principal AND t.header IS NOT NULL
	AND (t.nonce # '-9223372036854775808'::bigint) >= (k.nonce # '-9223372036854775808'::bigint)
LEFT JOIN LATERAL (
	SELECT layer, block FROM block_transactions b
	WHERE b.id = t.id AND b.layer > $3
	ORDER BY layer LIMIT 1
) AS n ON true
WHERE NOT EXISTS (SELECT FROM results r WHERE r.id = t.id)
