-- The earliest ballot of an ATX in a range of layers that declares slots.
SELECT blob
FROM ballots
WHERE atx = $1 AND layer BETWEEN $2 AND $3 AND slots IS NOT NULL
ORDER BY layer, id
LIMIT 1
