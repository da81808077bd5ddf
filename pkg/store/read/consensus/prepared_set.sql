SELECT a.blob
FROM consensus.prepared_sets p
JOIN consensus.activesets a ON a.id = p.hash
WHERE p.epoch = $1
