WITH RECURSIVE heads AS (
	(SELECT address, layer FROM state.accounts ORDER BY address DESC, layer DESC LIMIT 1)
	UNION ALL
	SELECT n.address, n.layer
	FROM heads h
	CROSS JOIN LATERAL (
		SELECT address, layer FROM state.accounts WHERE address < h.address ORDER BY address DESC, layer DESC LIMIT 1
	) AS n
)
SELECT a.address, a.layer, a.balance, a.next_nonce, a.template, a.state
FROM (SELECT address, layer FROM heads ORDER BY layer DESC, address LIMIT $1 OFFSET $2) AS h
JOIN state.accounts a USING (address, layer)
ORDER BY a.layer DESC, a.address
