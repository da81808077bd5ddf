SELECT epoch, beacon FROM beacons ORDER BY epoch
