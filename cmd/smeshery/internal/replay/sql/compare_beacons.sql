SELECT epoch, beacon FROM consensus.beacons
