UPDATE certificates SET valid = $3 WHERE layer = $1 AND block = ANY ($2::bytea[])
