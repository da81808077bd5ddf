SELECT block, blob, valid FROM certificates WHERE layer = $1 ORDER BY block
