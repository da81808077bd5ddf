SELECT atx, node_id, units
FROM posts
WHERE atx = ANY ($1::bytea[])
