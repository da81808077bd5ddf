-- Ballots of given (layer, identity) pairs: what a new one may collide with.
SELECT DISTINCT b.id, b.hash, b.layer, b.node_id, b.signature
FROM unnest($1::bigint[], $2::bytea[]) AS w (layer, node_id)
JOIN ballots b ON b.layer = w.layer AND b.node_id = w.node_id
