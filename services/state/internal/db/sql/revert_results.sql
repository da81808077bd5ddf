DELETE FROM results WHERE layer > $1
