SELECT atx, node_id, previous, prev_index, units
FROM posts
WHERE atx = ANY ($1::bytea[])
ORDER BY atx, place
