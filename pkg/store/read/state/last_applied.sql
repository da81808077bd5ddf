SELECT max(layer)
FROM state.layers
