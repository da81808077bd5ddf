-- The commit waits for the disk, and for the synchronous standby where there is one,
-- whatever the server's default. Plans depend on how many slots are asked for.
SELECT
	set_config('synchronous_commit', 'on', true),
	set_config('plan_cache_mode', 'force_custom_plan', true),
	pg_advisory_xact_lock_shared(hashtextextended('smeshery activation quarantine', 0))
