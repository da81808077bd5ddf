SELECT commitment, units, labels_per_unit, nonce, rank = 1
FROM (
	SELECT commitment, units, labels_per_unit, nonce, 1 AS rank FROM post_services
	WHERE node_id = $1 AND seen > clock_timestamp() - $2::bigint * interval '1 millisecond'
	UNION ALL
	SELECT commitment, units, labels_per_unit, nonce, 2 FROM spaces WHERE node_id = $1 AND complete
) AS known
ORDER BY rank LIMIT 1
