SELECT node_id, atx, beacon, proofs
FROM schedules
WHERE epoch = $1 AND node_id = ANY ($2::bytea[])
