INSERT INTO atxs (seq, id, publish_epoch, node_id, coinbase, weight, base_height, tick_count, sequence, vrf_nonce,
	effective_units, commitment, marriage_atx, received, validity, version, blob)
SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bigint[], $7::bigint[],
	$8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bytea[], $13::bytea[], $14::bigint[],
	$15::smallint[], $16::smallint[], $17::bytea[])
