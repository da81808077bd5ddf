UPDATE layers SET aggregated_hash = NULL WHERE layer > $1
