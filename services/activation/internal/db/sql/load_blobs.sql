SELECT id, blob
FROM atxs
WHERE id = ANY ($1::bytea[]) AND blob IS NOT NULL
