INSERT INTO blocks (id, seq, layer, height, blob)
SELECT $1, (SELECT coalesce(max(seq), 0) + 1 FROM blocks), $2, $3, $4
ON CONFLICT (id) DO NOTHING
