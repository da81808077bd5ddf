SELECT t.id, t.raw, t.received, r.header, r.result
FROM (
	SELECT id, layer
	FROM (
		SELECT id, layer, addresses
		FROM state.results
		WHERE layer BETWEEN $1 AND $2
		ORDER BY layer DESC, id
		LIMIT $6
	) AS w
	WHERE addresses @> ARRAY[$3::bytea]
	ORDER BY layer DESC, id
	LIMIT $4 OFFSET $5
) AS k
JOIN state.results r USING (id)
JOIN state.transactions t USING (id)
ORDER BY k.layer DESC, k.id
