SELECT count(DISTINCT layer) FROM certificates WHERE valid AND layer BETWEEN $1 AND $2
