SELECT a.address, a.layer, a.balance, a.next_nonce, a.template, a.state
FROM unnest($1::bytea[]) AS k (address)
CROSS JOIN LATERAL (
	SELECT address, layer, balance, next_nonce, template, state
	FROM state.accounts
	WHERE address = k.address AND layer <= $2
	ORDER BY layer DESC
	LIMIT 1
) AS a
