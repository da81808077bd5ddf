SELECT aggregated_hash FROM layers WHERE layer = $1 AND aggregated_hash IS NOT NULL
