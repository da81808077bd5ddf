WITH recent AS (
	SELECT address, layer, balance, next_nonce, template, state,
		NOT EXISTS (SELECT FROM state.accounts n WHERE n.address = a.address AND n.layer > a.layer) AS newest
	FROM (
		SELECT address, layer, balance, next_nonce, template, state
		FROM state.accounts
		ORDER BY layer DESC, address
		LIMIT $3
	) AS a
)
SELECT address, layer, balance, next_nonce, template, state
FROM recent
WHERE newest
ORDER BY layer DESC, address
LIMIT $1 OFFSET $2
