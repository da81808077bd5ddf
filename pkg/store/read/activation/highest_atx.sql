SELECT id, node_id, publish_epoch, coinbase, weight, base_height, tick_count, effective_units
FROM activation.atxs
ORDER BY (base_height::numeric + tick_count) DESC, id
LIMIT 1
