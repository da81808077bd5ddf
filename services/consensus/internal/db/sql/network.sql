SELECT genesis_id FROM network
