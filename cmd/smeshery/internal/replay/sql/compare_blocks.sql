SELECT b.id, b.layer, v.valid
FROM state.blocks b LEFT JOIN consensus.block_validity v ON v.block = b.id
WHERE b.layer BETWEEN $1 AND $2
