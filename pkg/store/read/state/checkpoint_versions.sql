SELECT address, layer, balance, next_nonce, template, state
FROM state.accounts
WHERE layer <= $1
ORDER BY address, layer
