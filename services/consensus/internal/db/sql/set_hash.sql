INSERT INTO layers (layer, aggregated_hash)
VALUES ($1, $2)
ON CONFLICT (layer) DO UPDATE SET aggregated_hash = excluded.aggregated_hash
WHERE layers.aggregated_hash IS DISTINCT FROM excluded.aggregated_hash
