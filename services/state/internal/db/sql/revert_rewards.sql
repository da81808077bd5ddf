DELETE FROM rewards WHERE layer > $1
