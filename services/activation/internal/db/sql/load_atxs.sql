SELECT id, publish_epoch, node_id, coinbase, weight, base_height, tick_count, sequence, vrf_nonce,
	effective_units, commitment, marriage_atx, received, validity
FROM atxs
WHERE id = ANY ($1::bytea[])
