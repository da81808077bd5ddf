SELECT count(*) FROM activation.atxs WHERE $1::bigint IS NULL OR publish_epoch = $1
