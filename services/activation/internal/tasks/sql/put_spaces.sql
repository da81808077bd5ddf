WITH said AS (
	SELECT * FROM unnest($2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[], $7::boolean[])
		AS w (node_id, commitment, units, labels_per_unit, nonce, complete)
), put AS (
	INSERT INTO spaces AS s (node_id, store, commitment, units, labels_per_unit, nonce, complete)
	SELECT node_id, $1, commitment, units, labels_per_unit, nonce, complete FROM said
	ON CONFLICT (node_id) DO UPDATE SET store = excluded.store, commitment = excluded.commitment, units = excluded.units,
		labels_per_unit = excluded.labels_per_unit, nonce = excluded.nonce, complete = excluded.complete
	WHERE coalesce(s.store, $1) = $1
	RETURNING node_id
)
SELECT node_id FROM said WHERE node_id NOT IN (SELECT node_id FROM put)
