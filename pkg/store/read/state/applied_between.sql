SELECT layer, applied_block, state_root
FROM state.layers
WHERE layer BETWEEN $1 AND $2
ORDER BY layer
