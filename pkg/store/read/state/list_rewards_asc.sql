SELECT layer, total_reward, layer_reward, coinbase, node_id
FROM state.rewards
WHERE layer BETWEEN $1 AND $2
	AND ($3::bytea IS NULL OR coinbase = $3)
	AND ($4::bytea IS NULL OR node_id = $4)
	AND ($5::bigint IS NULL OR (layer, coinbase, node_id) > ($5, $6::bytea, $7::bytea))
ORDER BY layer, coinbase, node_id
LIMIT $8 OFFSET $9
