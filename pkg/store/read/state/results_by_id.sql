SELECT id, header, result
FROM state.results
WHERE id = ANY ($1::bytea[])
