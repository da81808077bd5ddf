SELECT id, header, result
FROM state.results
WHERE addresses @> ARRAY[$1::bytea] AND layer BETWEEN $2 AND $3
ORDER BY layer, id
