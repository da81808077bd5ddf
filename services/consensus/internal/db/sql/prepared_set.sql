SELECT p.hash, p.weight, a.blob
FROM prepared_sets AS p JOIN activesets AS a ON a.id = p.hash
WHERE p.epoch = $1
