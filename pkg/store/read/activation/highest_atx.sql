SELECT id, node_id, publish_epoch, coinbase, weight, base_height, tick_count, effective_units
FROM activation.atxs a
WHERE NOT EXISTS (SELECT FROM activation.malicious m WHERE m.node_id = a.node_id)
ORDER BY (base_height::numeric + tick_count) DESC, id
LIMIT 1
