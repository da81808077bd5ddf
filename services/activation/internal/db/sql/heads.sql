SELECT coalesce((SELECT max(seq) FROM atxs), 0), coalesce((SELECT max(seq) FROM malicious), 0)
