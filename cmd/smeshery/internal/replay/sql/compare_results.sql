SELECT id, layer, block, header, result FROM state.results WHERE layer BETWEEN $1 AND $2
