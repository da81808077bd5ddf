DELETE FROM accounts WHERE layer > $1
