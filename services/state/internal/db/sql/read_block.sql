SELECT blob FROM blocks WHERE id = $1
