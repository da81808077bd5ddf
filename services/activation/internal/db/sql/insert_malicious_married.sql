INSERT INTO malfeasance_v2 (node_id, marriage_id, atx, received)
SELECT node_id, $2, $3, $4 FROM unnest($1::bytea[]) AS m (node_id)
ON CONFLICT (node_id) DO UPDATE SET marriage_id = coalesce(malfeasance_v2.marriage_id, excluded.marriage_id)
