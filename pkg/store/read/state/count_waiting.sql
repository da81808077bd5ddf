SELECT count(*) FROM state.waiting
