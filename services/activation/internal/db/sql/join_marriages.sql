UPDATE marriages SET marriage_id = $1 WHERE marriage_id = ANY ($2::bigint[])
