SELECT count(*)
FROM state.rewards
WHERE coinbase = $1
