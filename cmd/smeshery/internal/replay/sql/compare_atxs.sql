SELECT id, publish_epoch, node_id, effective_units, weight, base_height, tick_count, sequence,
	vrf_nonce, coinbase, commitment, marriage_atx, validity, version, received
FROM activation.atxs
WHERE id = ANY($1::bytea[])
