INSERT INTO posts (atx, node_id, previous, prev_index, units, publish_epoch, seq, place)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::smallint[])
