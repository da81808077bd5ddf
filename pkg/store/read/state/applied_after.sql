SELECT layer, applied_block, state_root
FROM state.layers
WHERE layer >= $1
ORDER BY layer
