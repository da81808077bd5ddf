package monitoring

import "time"

func busAlerts() Group {
	return Group{Name: "bus", Title: "Bus", Alerts: []Alert{
		{
			Name: "QueueDropping", Severity: Warning,
			Expr:    anyOf(Services(), "(sum by (network, subject) ("+rises("smeshery_SERVICE_bus_queue_dropped_total", "5m")+") > 0)"),
			Summary: "{{ $labels.service }} dropped {{ $value | humanize }} messages of {{ $labels.subject }}",
			Means:   "Gossip came faster than it was judged and the oldest messages made room. Peers may have served them to others; what we need comes again with sync.",
			Look:    "Dashboard Bus: length and age of the queue, time to answer; CPU; who floods (gossip's logs).",
			Do:      "Short peaks at the start of an epoch are harmless. If it lasts, give the service more cores, or find the peer that floods.",
		},
		{
			Name: "QueueRefusing", For: time.Minute, Severity: Warning,
			Expr:    anyOf(Services(), "(sum by (network, subject) ("+rises("smeshery_SERVICE_bus_queue_refused_total", "5m")+") > 0)"),
			Summary: "{{ $labels.service }} answered busy {{ $value | humanize }} times on {{ $labels.subject }}",
			Means:   "A queue that must not drop is full, and callers have to come again.",
			Look:    "Dashboard Bus: time to answer of the subject; dashboard Database of the service.",
			Do:      "Find what slows the handler down. Callers try again by themselves.",
		},
		{
			Name: "QueueOld", For: time.Minute, Severity: Warning,
			Expr:    anyOf(Services(), "(max by (network, subject) (smeshery_SERVICE_bus_queue_oldest_seconds) > 15)"),
			Summary: "A message has waited {{ $value | humanizeDuration }} in {{ $labels.subject }} of {{ $labels.service }}",
			Means:   "A handler hangs or is far too slow.",
			Look:    "`/debug/pprof/goroutine?debug=2` of the process: what does the handler wait for.",
			Do:      "Repair what it waits for; restart the process if it does not come back.",
		},
		{
			Name: "CallsFailing", For: 2 * time.Minute, Severity: Warning,
			Expr:    anyOf(callers(), `(sum by (network, subject) (`+rises(`smeshery_SERVICE_bus_calls_total{code=~"unavailable|internal|late|failed"}`, "5m")+`) > 5)`),
			Summary: "Calls of {{ $labels.service }} to {{ $labels.subject }} fail",
			Means:   "Nobody answers the subject, or its owner fails.",
			Look:    "`/readyz` and logs of the subject's owner; NATS.",
			Do:      "Bring the owner back. `internal` in its log names the reason.",
		},
		{
			Name: "HandlerPanicked", Severity: Critical,
			Expr:    anyOf(Services(), "(sum by (network, subject) ("+rises("smeshery_SERVICE_bus_panics_total", "15m")+") > 0)"),
			Summary: "A handler of {{ $labels.subject }} in {{ $labels.service }} panicked",
			Means:   "A bug. The request was answered `internal`, the process goes on.",
			Look:    "The log with the stack.",
			Do:      "Report it with the log. If a message of a peer triggers it, block the peer.",
		},
		{
			Name: "GossipBacklog", For: time.Minute, Severity: Critical,
			Expr:    `max by (network, stream) (smeshery_gossip_stream_oldest_seconds{stream="GOSSIP_OUT"}) > 60`,
			Summary: "Messages have waited {{ $value | humanizeDuration }} to be published",
			Means:   "What we publish does not go out: late proposals and votes are lost, ATXs wait.",
			Look:    "Dashboard Network, own messages by what became of them (`retried` means that the owner does not judge); logs of gossip.",
			Do:      "Bring the owner of the topic, or gossip, back.",
		},
		{
			Name: "OwnMessageRefused", Severity: Critical,
			Expr:    `sum by (network, topic, outcome) (` + rises(`smeshery_gossip_own_messages_total{outcome=~"reject|given_up"}`, "15m") + `) > 0`,
			Summary: "Own messages on {{ $labels.topic }} were not published: {{ $labels.outcome }}",
			Means:   "`reject`: our own rules refuse what we made, so peers would too. `given_up`: a vote came too late to be of use.",
			Look:    "Logs of gossip for `an own message was not published` and `a vote was given up`, with the reason.",
			Do:      "Reject is a bug: report it with the log. Given up: see CallsFailing and QueueOld.",
		},
		{
			Name: "OutboxOld", For: 30 * time.Second, Severity: Critical,
			Expr:    anyOf(Outboxes(), "(max by (network) (smeshery_SERVICE_outbox_oldest_seconds) > 30)"),
			Summary: "A message has waited {{ $value | humanizeDuration }} in the outbox of {{ $labels.service }}",
			Means:   "What the service committed is not published: no stream takes it, or one row is refused.",
			Look:    "Logs `outbox waits` and `messages were refused and stay`; NATS and its disk.",
			Do:      "Bring NATS back. Nothing is lost: rows go out in order once it takes them.",
		},
	}}
}

func databaseAlerts() Group {
	return Group{Name: "database", Title: "Database", Alerts: []Alert{
		{
			Name: "DatabaseDown", For: 15 * time.Second, Severity: Critical,
			Expr:    anyOf(OnPostgres(), "(min by (network) (smeshery_SERVICE_database_up) == 0)"),
			Summary: "{{ $labels.service }} does not reach Postgres",
			Means:   "Nothing is stored and, after the trust window of the leases, nothing is signed.",
			Look:    "The server's log; its disk (DiskLow); network and credentials.",
			Do:      "Bring it back. Services reconnect and go on by themselves. After a restore from a backup, quarantine the slots that the lost rows may cover before anything starts.",
		},
		{
			Name: "DatabaseConnectionsExhausted", For: 30 * time.Second, Severity: Critical,
			Expr:    anyOf(OnPostgres(), "(max by (network) (smeshery_SERVICE_database_server_connections / smeshery_SERVICE_database_server_connections_limit) > 0.9)"),
			Summary: "Postgres has {{ $value | humanizePercentage }} of its connections in use",
			Means:   "Services that restart or scale out will be refused.",
			Look:    "`select application_name, state, count(*) from pg_stat_activity group by 1, 2`.",
			Do:      "Raise max_connections, lower the pools, or end what does not belong there.",
		},
		{
			Name: "PoolExhausted", For: time.Minute, Severity: Warning,
			Expr:    anyOf(OnPostgres(), `(sum by (network, instance) (smeshery_SERVICE_database_connections{state="used"}) >= on (network, instance) sum by (network, instance) (smeshery_SERVICE_database_connections_limit))`),
			Summary: "{{ $labels.service }} uses all of its connections",
			Means:   "Queries wait for connections; duties get slow.",
			Look:    "Dashboard Database: wait for a connection, duration of queries, oldest transaction.",
			Do:      "Find the slow queries; enlarge the pool if the server has room.",
		},
		{
			Name: "LongTransaction", For: time.Minute, Severity: Warning,
			Expr:    "max by (network) (smeshery_state_database_oldest_transaction_seconds) > 300",
			Summary: "A transaction has been open for {{ $value | humanizeDuration }}",
			Means:   "It may hold locks, and keeps vacuum from cleaning up.",
			Look:    "`pg_stat_activity` ordered by `xact_start`; a backup or checkpoint takes long by nature.",
			Do:      "End it with `pg_terminate_backend` if it is nobody's; services repeat what they must.",
		},
		{
			Name: "DatabaseErrors", For: time.Minute, Severity: Warning,
			Expr:    anyOf(OnPostgres(), `(sum by (network, class) (`+rises(`smeshery_SERVICE_database_query_errors_total{class=~"connection|53|57|58|XX"}`, "5m")+`) > 0)`),
			Summary: "Queries of {{ $labels.service }} fail with class {{ $labels.class }}",
			Means:   "`connection`: cut or not made; `53`: out of memory, disk or connections; `57`: shut down or cancelled; `58` and `XX`: damage.",
			Look:    "The server's log.",
			Do:      "`58` and `XX`: stop everything, back the data directory up, check the disk. Otherwise as for DatabaseDown.",
		},
		{
			Name: "DiskLow", For: time.Minute, Severity: Warning,
			Expr:    "min by (network, directory, instance) (smeshery_process_disk_free_bytes / smeshery_process_disk_size_bytes) < 0.1",
			Summary: "{{ $value | humanizePercentage }} is left where {{ $labels.directory }} lies",
			Means:   "Postgres, streams and PoET rounds stop when the disk is full.",
			Look:    "Dashboard Database: tables by service, room left; other users of the disk.",
			Do:      "Make room or a larger disk, before DiskFull.",
		},
		{
			Name: "DiskFull", Severity: Critical,
			Expr:    "min by (network, directory, instance) (smeshery_process_disk_free_bytes) < 1073741824",
			Summary: "{{ $value | humanize1024 }}B are left where {{ $labels.directory }} lies",
			Means:   "Less than 1 GiB: writes will fail within the hour.",
			Look:    "As for DiskLow.",
			Do:      "Make room now. If it is full already: stop the processes, make room, start them; they recover from rows.",
		},
	}}
}

func processAlerts() Group {
	return Group{Name: "processes", Title: "API and processes", Alerts: []Alert{
		{
			Name: "NothingScraped", For: time.Minute, Severity: Critical,
			Expr:    "absent(smeshery_build_info)",
			Summary: "No Smeshery process is scraped",
			Means:   "Either nothing runs, or Prometheus does not find it; no other alert can fire.",
			Look:    "Targets in Prometheus; the admin address of the processes (`/metrics`).",
			Do:      "Start it, or mend the scrape configuration.",
		},
		{
			Name: "ProcessRestarting", Severity: Warning,
			Expr:    "changes(process_start_time_seconds[30m]) > 3",
			Summary: "{{ $labels.instance }} was started {{ $value | humanize }} times in half an hour",
			Means:   "It crashes or is killed, for example for memory.",
			Look:    "The end of its log; the system's log for the OOM killer.",
			Do:      "Give it memory, or repair what the log names. Crashes are safe, but every start costs layers.",
		},
		{
			Name: "ApiErrors", For: time.Minute, Severity: Warning,
			Expr:    `(sum by (network, method) (rate(smeshery_api_gateway_calls_total{code=~"Internal|Unknown|Unavailable|DataLoss"}[5m])) / sum by (network, method) (rate(smeshery_api_gateway_calls_total[5m])) > 0.05)`,
			Summary: "{{ $value | humanizePercentage }} of calls of {{ $labels.method }} fail",
			Means:   "Users of the API get errors that are ours.",
			Look:    "Logs of api-gateway; whether the services behind it answer (CallsFailing).",
			Do:      "Bring the service behind it, or Postgres, back.",
		},
		{
			Name: "ApiSlow", For: 5 * time.Minute, Severity: Warning,
			Expr:    `histogram_quantile(0.95, sum by (le, network, method) (rate(smeshery_api_gateway_call_seconds_bucket{method!~".*Stream.*"}[5m]))) > 5`,
			Summary: "Calls of {{ $labels.method }} take {{ $value | humanizeDuration }}",
			Means:   "Users wait. It says nothing about smeshing.",
			Look:    "Dashboard Database of api_gateway.",
			Do:      "Limit the heaviest users; add gateways; look at the plans of slow queries.",
		},
		{
			Name: "ApiPanicked", Severity: Critical,
			Expr:    "sum by (network) (" + rises("smeshery_api_gateway_panics_total", "15m") + ") > 0",
			Summary: "A handler of the API panicked",
			Means:   "A bug. The call was answered with an error, the process goes on.",
			Look:    "The log of api-gateway with method and stack.",
			Do:      "Report it with the log.",
		},
	}}
}
