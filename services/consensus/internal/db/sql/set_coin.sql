INSERT INTO layers (layer, weak_coin)
VALUES ($1, $2)
ON CONFLICT (layer) DO UPDATE SET weak_coin = coalesce(layers.weak_coin, excluded.weak_coin)
