SELECT pg_advisory_xact_lock_shared(hashtextextended('smeshery activation quarantine', 0))
