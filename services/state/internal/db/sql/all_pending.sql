SELECT t.id, t.header, t.received, coalesce(n.layer, 0), coalesce(n.block, '')
FROM transactions t
LEFT JOIN LATERAL (
	SELECT layer, block FROM block_transactions b
	WHERE b.id = t.id AND b.layer > $1
	ORDER BY layer LIMIT 1
) AS n ON true
WHERE t.header IS NOT NULL AND NOT EXISTS (SELECT FROM results r WHERE r.id = t.id)
