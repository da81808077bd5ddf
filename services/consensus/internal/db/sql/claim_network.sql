INSERT INTO network (genesis_id) VALUES ($1)
ON CONFLICT (only) DO NOTHING
