SELECT blob FROM activesets WHERE id = $1
