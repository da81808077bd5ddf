package monitoring

func busBoard() Dashboard {
	return Dashboard{UID: "bus", Title: "Bus", Rows: []Row{
		{"Queues", []Panel{
			{Title: "Length", Unit: "short", Queries: each(Services(), "sum by (subject) (smeshery_SERVICE_bus_queue_length)", "SERVICE {{subject}}")},
			{Title: "Bytes", Unit: "bytes", Queries: each(Services(), "sum(smeshery_SERVICE_bus_queue_bytes)", "SERVICE")},
			{Title: "Oldest message", Unit: "s", Queries: each(Services(), "max by (subject) (smeshery_SERVICE_bus_queue_oldest_seconds)", "SERVICE {{subject}}")},
			{Title: "Dropped", Unit: "ops", Queries: each(Services(), "sum by (subject) (rate(smeshery_SERVICE_bus_queue_dropped_total"+rate+"))", "SERVICE {{subject}}")},
			{Title: "Refused as busy", Unit: "ops", Queries: each(Services(), "sum by (subject) (rate(smeshery_SERVICE_bus_queue_refused_total"+rate+"))", "SERVICE {{subject}}")},
		}},
		{"Calls", []Panel{
			{Title: "Requests sent", Unit: "ops", Queries: each(callers(), orZero("sum by (code) (rate(smeshery_SERVICE_bus_calls_total"+rate+"))"), "SERVICE {{code}}")},
			{Title: "Requests sent that failed", Unit: "ops", Queries: each(callers(),
				orZero(`sum by (subject, code) (rate(smeshery_SERVICE_bus_calls_total{code!="ok"}`+rate+"))"), "SERVICE {{subject}} {{code}}")},
			{Title: "Requests answered", Unit: "ops", Queries: each(servers(), "sum by (code) (rate(smeshery_SERVICE_bus_requests_total"+rate+"))", "SERVICE {{code}}")},
			{Title: "From arrival to answer, 95th percentile", Unit: "s", Queries: each(servers(), quantile("smeshery_SERVICE_bus_request_seconds", "subject"), "SERVICE {{subject}}")},
			{Title: "Handlers that panicked", Unit: "short", Queries: each(Services(), orZero("sum by (subject) (increase(smeshery_SERVICE_bus_panics_total"+rate+"))"), "SERVICE {{subject}}")},
		}},
		{"Streams", []Panel{
			{Title: "Messages", Help: "Of GOSSIP_OUT those that are not published yet.", Unit: "short", Queries: []Query{{"max by (stream) (smeshery_gossip_stream_messages)", "{{stream}}"}}},
			{Title: "Size", Unit: "bytes", Queries: []Query{{"max by (stream) (smeshery_gossip_stream_bytes)", "{{stream}}"}}},
			{Title: "Oldest message", Unit: "s", Queries: []Query{{"max by (stream) (smeshery_gossip_stream_oldest_seconds)", "{{stream}}"}}},
			{Title: "Consumers", Unit: "short", Queries: []Query{{"max by (stream) (smeshery_gossip_stream_consumers)", "{{stream}}"}}},
		}},
	}}
}

// callers ask others, servers answer them.
func callers() []string {
	return []string{"activation", "api_gateway", "consensus", "gossip", "post_worker"}
}
func servers() []string { return []string{"activation", "consensus", "state"} }

func databaseBoard() Dashboard {
	return Dashboard{UID: "database", Title: "Database", Rows: []Row{
		{"Server", []Panel{
			{Title: "Answers", Help: "1 if all services reach it.", Unit: "short", Stat: true, Queries: []Query{
				{"min(" + anyOf(OnPostgres(), "smeshery_SERVICE_database_up") + ")", ""},
			}},
			{Title: "Size", Unit: "bytes", Stat: true, Queries: []Query{{"max(smeshery_state_database_size_bytes)", ""}}},
			{Title: "Connections", Unit: "percentunit", Stat: true, Queries: []Query{
				{"max(smeshery_state_database_server_connections) / max(smeshery_state_database_server_connections_limit)", ""},
			}},
			{Title: "Oldest transaction", Unit: "s", Stat: true, Queries: []Query{{"max(smeshery_state_database_oldest_transaction_seconds)", ""}}},
		}},
		{"Pools", []Panel{
			{Title: "Connections used", Unit: "percentunit", Queries: each(OnPostgres(),
				`sum(smeshery_SERVICE_database_connections{state="used"}) / sum(smeshery_SERVICE_database_connections_limit)`, "SERVICE")},
			{Title: "Connections", Unit: "short", Queries: each(OnPostgres(), "sum by (state) (smeshery_SERVICE_database_connections)", "SERVICE {{state}}")},
			{Title: "Wait for a connection, mean", Unit: "s", Queries: each(OnPostgres(),
				"sum(rate(smeshery_SERVICE_database_acquire_seconds_total"+rate+")) / sum(rate(smeshery_SERVICE_database_acquires_total"+rate+"))", "SERVICE")},
			{Title: "Requests for a connection that waited", Unit: "ops", Queries: each(OnPostgres(), "sum(rate(smeshery_SERVICE_database_acquire_waits_total"+rate+"))", "SERVICE")},
		}},
		{"Queries", []Panel{
			{Title: "Queries and batches", Unit: "ops", Queries: each(OnPostgres(), "sum(rate(smeshery_SERVICE_database_query_seconds_count"+rate+"))", "SERVICE")},
			{Title: "Duration, 95th percentile", Unit: "s", Queries: each(OnPostgres(), quantile("smeshery_SERVICE_database_query_seconds", ""), "SERVICE")},
			{Title: "Errors", Help: "By class of SQLSTATE.", Unit: "ops", Queries: each(OnPostgres(), orZero("sum by (class) (rate(smeshery_SERVICE_database_query_errors_total"+rate+"))"), "SERVICE {{class}}")},
		}},
		{"Outboxes", []Panel{
			{Title: "Rows that wait", Unit: "short", Queries: each(Outboxes(), "sum(smeshery_SERVICE_outbox_length)", "SERVICE")},
			{Title: "Oldest row", Unit: "s", Queries: each(Outboxes(), "max(smeshery_SERVICE_outbox_oldest_seconds)", "SERVICE")},
			{Title: "Published", Unit: "ops", Queries: each(Outboxes(), "sum(rate(smeshery_SERVICE_outbox_published_total"+rate+"))", "SERVICE")},
			{Title: "Attempts that failed", Unit: "ops", Queries: each(Outboxes(), "sum(rate(smeshery_SERVICE_outbox_failed_total"+rate+"))", "SERVICE")},
		}},
		{"Room", []Panel{
			{Title: "Tables by service", Unit: "bytes", Stacked: true, Queries: each([]string{"activation", "consensus", "poet", "state"}, "max(smeshery_SERVICE_database_schema_bytes)", "SERVICE")},
			{Title: "Room left on disks", Unit: "bytes", Queries: []Query{{"min by (directory) (smeshery_process_disk_free_bytes)", "{{directory}}"}}},
			{Title: "Accounts in the cache", Unit: "percentunit", Help: "Share of reads that the cache answered.", Queries: []Query{
				{orZero("sum(rate(smeshery_state_cache_hits_total" + rate + ")) / (sum(rate(smeshery_state_cache_hits_total" + rate + ")) + sum(rate(smeshery_state_cache_misses_total" + rate + ")))"), "hits"},
			}},
		}},
	}}
}

func apiBoard() Dashboard {
	return Dashboard{UID: "api", Title: "API and processes", Rows: []Row{
		{"Calls", []Panel{
			{Title: "gRPC calls", Unit: "ops", Queries: []Query{{orZero("sum by (listener, code) (rate(smeshery_api_gateway_calls_total" + rate + "))"), "{{listener}} {{code}}"}}},
			{Title: "gRPC, 95th percentile", Unit: "s", Queries: []Query{{orZero(quantile("smeshery_api_gateway_call_seconds", "method")), "{{method}}"}}},
			{Title: "Open streams", Unit: "short", Queries: []Query{{"sum(smeshery_api_gateway_open_streams)", "streams"}}},
			{Title: "HTTP requests", Unit: "ops", Queries: []Query{{orZero("sum by (code) (rate(smeshery_api_gateway_http_request_seconds_count" + rate + "))"), "{{code}}"}}},
			{Title: "HTTP, 95th percentile", Unit: "s", Queries: []Query{{orZero(quantile("smeshery_api_gateway_http_request_seconds", "handler")), "{{handler}}"}}},
			{Title: "Panics", Unit: "short", Queries: []Query{{"sum(increase(smeshery_api_gateway_panics_total" + rate + "))", "panics"}}},
		}},
		{"Processes", []Panel{
			{Title: "Cores used", Unit: "short", Queries: []Query{{"rate(process_cpu_seconds_total" + rate + ")", "{{instance}}"}}},
			{Title: "Memory", Unit: "bytes", Queries: []Query{{"process_resident_memory_bytes", "{{instance}}"}}},
			{Title: "Goroutines", Unit: "short", Queries: []Query{{"go_goroutines", "{{instance}}"}}},
			{Title: "Open files", Unit: "percentunit", Queries: []Query{{"process_open_fds / process_max_fds", "{{instance}}"}}},
			{Title: "Versions", Unit: "short", Queries: []Query{{"count by (version) (smeshery_build_info)", "{{version}}"}}},
		}},
	}}
}
