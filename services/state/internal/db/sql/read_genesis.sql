SELECT genesis_id, accounts_sum, effective_layer FROM genesis
