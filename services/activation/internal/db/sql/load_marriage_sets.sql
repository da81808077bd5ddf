SELECT marriage_id, node_id
FROM marriages
WHERE marriage_id = ANY ($1::bigint[])
ORDER BY marriage_id, seq
