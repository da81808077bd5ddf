INSERT INTO network (genesis_id) VALUES ($1)
ON CONFLICT (one_row) DO NOTHING
