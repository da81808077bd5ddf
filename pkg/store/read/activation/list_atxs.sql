SELECT id, node_id, publish_epoch, coinbase, weight, base_height, tick_count, effective_units
FROM activation.atxs
WHERE publish_epoch BETWEEN $1 AND $2
	AND ($3::bytea[] IS NULL OR id = ANY ($3))
	AND ($4::bytea[] IS NULL OR node_id = ANY ($4))
	AND ($5::bytea IS NULL OR coinbase = $5)
	AND ($6::bigint IS NULL OR (publish_epoch, id) > ($6, $7::bytea))
ORDER BY publish_epoch, id
LIMIT $8 OFFSET $9
