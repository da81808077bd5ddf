INSERT INTO certificates (layer, block, valid)
VALUES ($1, $2, $3)
ON CONFLICT (layer, block) DO NOTHING
