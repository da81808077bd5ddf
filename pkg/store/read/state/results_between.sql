SELECT id, header, result
FROM state.results
WHERE layer BETWEEN $1 AND $2
ORDER BY layer, id
