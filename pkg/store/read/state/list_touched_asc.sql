WITH touched AS MATERIALIZED (
	SELECT id, layer
	FROM state.results
	WHERE addresses @> ARRAY[$3::bytea]
)
SELECT t.id, t.raw, t.received, r.header, r.result
FROM (
	SELECT id, layer
	FROM touched
	WHERE layer BETWEEN $1 AND $2
	ORDER BY layer, id
	LIMIT $4 OFFSET $5
) AS k
JOIN state.results r USING (id)
JOIN state.transactions t USING (id)
ORDER BY k.layer, k.id
