SELECT seq, id, publish_epoch, node_id, coinbase, weight, base_height, tick_count, vrf_nonce, received
FROM activation.atxs
WHERE seq > $1
ORDER BY seq
LIMIT $2
