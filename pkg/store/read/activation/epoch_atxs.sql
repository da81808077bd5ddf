SELECT a.id, a.node_id, a.weight, a.effective_units, a.vrf_nonce, a.received, coalesce(m.received, 0), m.node_id IS NOT NULL
FROM activation.atxs AS a LEFT JOIN activation.malicious AS m USING (node_id)
WHERE a.publish_epoch = $1
ORDER BY a.seq
