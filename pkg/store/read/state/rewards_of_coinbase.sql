SELECT layer, total_reward, layer_reward, coinbase, node_id
FROM state.rewards
WHERE coinbase = $1 AND layer BETWEEN $2 AND $3
ORDER BY layer, node_id
