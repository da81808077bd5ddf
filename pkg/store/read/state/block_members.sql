SELECT DISTINCT id
FROM state.block_transactions
WHERE id = ANY ($1::bytea[]) AND layer = $2
