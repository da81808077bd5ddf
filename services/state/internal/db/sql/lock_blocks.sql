SELECT pg_advisory_xact_lock(hashtextextended('smeshery state.blocks', 0))
