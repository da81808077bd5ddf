INSERT INTO schedules (epoch, node_id, atx, beacon, proofs)
SELECT $1, * FROM unnest($2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[])
ON CONFLICT (epoch, node_id) DO UPDATE SET atx = excluded.atx, beacon = excluded.beacon, proofs = excluded.proofs
