SELECT coalesce(max(marriage_id), 0) FROM marriages
