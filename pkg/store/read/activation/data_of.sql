SELECT units, complete
FROM activation.initialisations
WHERE node_id = $1
