WITH page AS (
	SELECT a.address, a.layer
	FROM (SELECT address, layer FROM state.accounts ORDER BY layer DESC, address LIMIT $3) AS a
	CROSS JOIN LATERAL (SELECT layer FROM state.accounts WHERE address = a.address ORDER BY layer DESC LIMIT 1) AS newest
	WHERE newest.layer = a.layer
	ORDER BY a.layer DESC, a.address
	LIMIT $1 OFFSET $2
)
SELECT a.address, a.layer, a.balance, a.next_nonce, a.template, a.state
FROM page
JOIN state.accounts a USING (address, layer)
ORDER BY a.layer DESC, a.address
