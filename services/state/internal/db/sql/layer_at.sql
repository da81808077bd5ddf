SELECT layer, seq, applied_block, state_root, executed, ineffective FROM layers WHERE layer = $1
