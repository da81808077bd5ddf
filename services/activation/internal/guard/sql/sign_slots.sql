WITH wanted AS (
	SELECT *
	FROM unnest($1::int[], $2::bytea[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bigint[],
		$8::text[], $9::boolean[]) AS w (n, node_id, kind, major, minor, hash, term, lease, guarded)
), held AS MATERIALIZED (
	SELECT name, term
	FROM lease
	WHERE name = ANY ($8::text[])
	ORDER BY name
	FOR SHARE
), owned AS MATERIALIZED (
	SELECT w.*, EXISTS (
		SELECT FROM quarantine AS q
		WHERE q.node_id IN (w.node_id, ''::bytea) AND q.kind = w.kind AND w.major <= q.through_major
	) OR EXISTS (
		SELECT FROM retired AS r WHERE r.node_id = w.node_id
	) AS quarantined
	FROM wanted AS w
	JOIN held AS h ON h.name = w.lease AND h.term = w.term
), fresh AS (
	INSERT INTO signed_slots (node_id, kind, major, minor, hash, term)
	SELECT DISTINCT ON (node_id, kind, major, minor) node_id, kind, major, minor, hash, term
	FROM owned
	WHERE guarded AND NOT quarantined
	ORDER BY node_id, kind, major, minor, n
	ON CONFLICT DO NOTHING
	RETURNING node_id, kind, major, minor, hash
)
SELECT w.n, o.n IS NOT NULL, coalesce(o.quarantined, false), f.hash, s.hash
FROM wanted AS w
LEFT JOIN owned AS o ON o.n = w.n
LEFT JOIN fresh AS f ON (f.node_id, f.kind, f.major, f.minor) = (w.node_id, w.kind, w.major, w.minor)
LEFT JOIN signed_slots AS s ON (s.node_id, s.kind, s.major, s.minor) = (w.node_id, w.kind, w.major, w.minor)
