INSERT INTO genesis (genesis_id, accounts_sum, effective_layer) VALUES ($1, $2, $3)
ON CONFLICT (single) DO NOTHING
