UPDATE spaces SET store = NULL, complete = false WHERE node_id = $1 AND NOT complete
