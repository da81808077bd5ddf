SELECT k.id, coalesce(n.layer, 0), coalesce(n.block, '')
FROM unnest($1::bytea[]) AS k (id)
LEFT JOIN LATERAL (
	SELECT layer, block FROM block_transactions b
	WHERE b.id = k.id AND b.layer > $2
	ORDER BY layer LIMIT 1
) AS n ON true
