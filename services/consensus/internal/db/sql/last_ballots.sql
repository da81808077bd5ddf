-- The last layer of a range in which each of the ATXs has a ballot, or for which
-- one of the identities was built.
SELECT node_id, max(layer)
FROM (
	SELECT node_id, layer FROM ballots WHERE atx = ANY ($1::bytea[]) AND layer BETWEEN $3 AND $4
	UNION ALL
	SELECT node_id, layer FROM built WHERE node_id = ANY ($2::bytea[])
) AS past
GROUP BY node_id
