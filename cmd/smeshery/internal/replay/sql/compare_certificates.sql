SELECT layer, block, blob IS NOT NULL, valid FROM consensus.certificates WHERE layer BETWEEN $1 AND $2
