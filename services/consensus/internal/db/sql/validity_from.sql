SELECT block, layer, valid FROM block_validity WHERE layer >= $1
