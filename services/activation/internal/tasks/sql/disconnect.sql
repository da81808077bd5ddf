DELETE FROM post_services WHERE node_id = $1 AND holder = $2 AND connection = $3
