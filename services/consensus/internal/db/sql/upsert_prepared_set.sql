INSERT INTO prepared_sets (epoch, hash, weight)
VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING
