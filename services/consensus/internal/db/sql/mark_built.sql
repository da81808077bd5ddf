-- Answers the identities that have not come as far as the layer.
INSERT INTO built (node_id, layer)
SELECT unnest($1::bytea[]), $2
ON CONFLICT (node_id) DO UPDATE SET layer = excluded.layer WHERE built.layer < excluded.layer
RETURNING node_id
