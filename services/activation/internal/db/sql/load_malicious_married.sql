SELECT node_id
FROM malfeasance_v2
WHERE node_id = ANY ($1::bytea[]) AND marriage_id IS NOT NULL
