SELECT address, layer, balance, next_nonce, template, state
FROM state.accounts
WHERE layer BETWEEN $1 AND $2
ORDER BY layer, address
