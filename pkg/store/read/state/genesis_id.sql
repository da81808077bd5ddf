SELECT genesis_id
FROM state.genesis
