UPDATE post_services SET seen = clock_timestamp() WHERE holder = $1 AND node_id = ANY ($2::bytea[])
