INSERT INTO layers (layer, processed)
VALUES ($1, true)
ON CONFLICT (layer) DO UPDATE SET processed = true WHERE NOT layers.processed
