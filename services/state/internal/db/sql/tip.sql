SELECT layer, seq, applied_block, state_root, executed, ineffective FROM layers ORDER BY layer DESC LIMIT 1
