SELECT layer, weak_coin, processed, aggregated_hash FROM layers WHERE layer >= $1 ORDER BY layer
