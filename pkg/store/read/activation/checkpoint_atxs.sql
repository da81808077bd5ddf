SELECT a.id, a.publish_epoch, a.commitment, a.marriage_atx, a.vrf_nonce, a.base_height, a.tick_count, a.node_id, a.sequence,
	a.coinbase, a.effective_units,
	ARRAY(SELECT p.node_id FROM activation.posts p WHERE p.atx = a.id ORDER BY p.place),
	ARRAY(SELECT p.units FROM activation.posts p WHERE p.atx = a.id ORDER BY p.place)
FROM activation.atxs a
ORDER BY a.node_id, a.publish_epoch DESC, a.seq
