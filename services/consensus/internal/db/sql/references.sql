-- The first ballot of each of the ATXs in a range of layers.
SELECT DISTINCT ON (atx) blob
FROM ballots
WHERE atx = ANY ($1::bytea[]) AND layer BETWEEN $2 AND $3
ORDER BY atx, layer, id
