SELECT node_id, marriage_id, atx, place, target, signature
FROM marriages
WHERE node_id = ANY ($1::bytea[])
