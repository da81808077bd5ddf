SELECT l.layer, coalesce(c.processed, false), c.aggregated_hash, s.applied_block, s.state_root, b.id IS NOT NULL
FROM (
	(SELECT layer FROM consensus.layers WHERE layer BETWEEN $1 AND $2 ORDER BY layer LIMIT $3::bigint + $4::bigint)
	UNION
	(SELECT layer FROM state.layers WHERE layer BETWEEN $1 AND $2 ORDER BY layer LIMIT $3::bigint + $4::bigint)
	ORDER BY layer
	LIMIT $3::bigint + $4::bigint
) AS l
LEFT JOIN consensus.layers c USING (layer)
LEFT JOIN state.layers s USING (layer)
LEFT JOIN state.blocks b USING (layer)
ORDER BY l.layer, b.id
LIMIT $3 OFFSET $4
