DELETE FROM executing WHERE layer <= $1
