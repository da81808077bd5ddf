DELETE FROM layers WHERE layer > $1
