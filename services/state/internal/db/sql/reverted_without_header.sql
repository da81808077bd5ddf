SELECT r.id, r.header
FROM results r
JOIN transactions t ON t.id = r.id
WHERE r.layer > $1 AND t.header IS NULL
