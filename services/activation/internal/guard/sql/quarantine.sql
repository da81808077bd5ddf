INSERT INTO quarantine AS q (node_id, kind, through_major, reason)
SELECT $1, kind, through_major, $4 FROM unnest($2::smallint[], $3::bigint[]) AS k (kind, through_major)
ON CONFLICT (node_id, kind) DO UPDATE
SET through_major = greatest(q.through_major, excluded.through_major), reason = excluded.reason, since = excluded.since
