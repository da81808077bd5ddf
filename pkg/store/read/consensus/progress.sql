SELECT coalesce((SELECT layer FROM consensus.layers WHERE processed ORDER BY layer DESC LIMIT 1), 0),
	greatest((SELECT max(layer) FROM consensus.ballots), (SELECT max(layer) FROM consensus.layers WHERE processed), 0)
