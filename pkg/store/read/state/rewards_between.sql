SELECT layer, total_reward, layer_reward, coinbase, node_id
FROM state.rewards
WHERE layer BETWEEN $1 AND $2
ORDER BY layer, node_id
