UPDATE atxs SET validity = m.validity
FROM unnest($1::bytea[], $2::smallint[]) AS m (id, validity)
WHERE atxs.id = m.id
