SELECT ref, leaves, statement
FROM poet_proofs
WHERE ref = ANY ($1::bytea[])
