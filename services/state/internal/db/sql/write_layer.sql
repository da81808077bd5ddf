INSERT INTO layers (layer, applied_block, state_root, executed, ineffective)
VALUES ($1, $2, $3, $4, $5)
RETURNING seq
