SELECT a.seq, a.id, a.publish_epoch, a.node_id, a.coinbase, a.weight, a.base_height, a.tick_count, a.vrf_nonce, a.received,
	a.sequence, a.effective_units,
	ARRAY(SELECT p.previous FROM activation.posts p WHERE p.atx = a.id AND p.previous IS NOT NULL GROUP BY p.previous ORDER BY min(p.prev_index), min(p.place))
FROM activation.atxs a
WHERE a.id = ANY ($1::bytea[])
