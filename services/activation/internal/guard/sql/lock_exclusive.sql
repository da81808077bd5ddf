SELECT pg_advisory_xact_lock(hashtextextended('smeshery activation quarantine', 0))
