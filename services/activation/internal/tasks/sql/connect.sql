INSERT INTO post_services AS p (node_id, holder, connection, seen, commitment, units, labels_per_unit, nonce)
VALUES ($1, $2, $3, clock_timestamp(), $4, $5, $6, $7)
ON CONFLICT (node_id) DO UPDATE SET holder = excluded.holder, connection = excluded.connection, seen = excluded.seen,
	commitment = excluded.commitment, units = excluded.units, labels_per_unit = excluded.labels_per_unit, nonce = excluded.nonce
WHERE p.seen <= clock_timestamp() - $8::bigint * interval '1 millisecond' OR p.holder = $2
