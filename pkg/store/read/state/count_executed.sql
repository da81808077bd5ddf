SELECT count(*) FROM state.results WHERE layer BETWEEN $1 AND $2
