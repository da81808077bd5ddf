SELECT layer, total_reward, layer_reward, coinbase, node_id
FROM state.rewards
WHERE coinbase = $1
ORDER BY layer, node_id
OFFSET $2
LIMIT $3
