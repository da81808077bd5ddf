INSERT INTO certificates (layer, block, blob, valid)
VALUES ($1, $2, $3, true)
ON CONFLICT (layer, block) DO UPDATE SET blob = excluded.blob, valid = true
