SELECT blob FROM ballots WHERE layer = $1 ORDER BY id
