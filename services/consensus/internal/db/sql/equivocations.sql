-- Identities with more than one ballot in a layer, from a layer on.
SELECT b.id, b.hash, b.layer, b.node_id, b.signature
FROM ballots b
JOIN (
	SELECT layer, node_id FROM ballots WHERE layer >= $1 GROUP BY layer, node_id HAVING count(*) > 1
) d USING (layer, node_id)
ORDER BY b.layer, b.node_id, b.id
