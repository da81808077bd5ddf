SELECT n.node_id
FROM unnest($1::bytea[]) AS n (node_id)
WHERE EXISTS (SELECT FROM atxs WHERE atxs.node_id = n.node_id)
