SELECT coalesce(max(layer), 0) FROM ballots
