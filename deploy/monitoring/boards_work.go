package monitoring

func identitiesBoard() Dashboard {
	return Dashboard{UID: "identities", Title: "Identities", Rows: []Row{
		{"Held", []Panel{
			{Title: "Identities held", Unit: "short", Stat: true, Queries: []Query{{"sum(smeshery_activation_identities)", ""}}},
			{Title: "Leases missing", Help: "Wanted and not held.", Unit: "short", Stat: true, Queries: []Query{
				{"sum(smeshery_activation_lease_wanted) - sum(smeshery_activation_lease_held)", ""},
			}},
			{Title: "ATXs published", Help: "In the time shown.", Unit: "short", Stat: true, Queries: []Query{
				{"sum(increase(smeshery_activation_atxs_published_total[$__range]))", ""},
			}},
			{Title: "Refusals of the guard", Help: "In the time shown. Anything but 0 is an accident that was prevented.", Unit: "short", Stat: true, Queries: []Query{
				{`sum(increase(smeshery_activation_signatures_total{outcome="refused"}[$__range]))`, ""},
			}},
		}},
		{"Lives", []Panel{
			{Title: "Steps", Unit: "short", Stacked: true, Queries: []Query{{"sum by (step) (smeshery_activation_identity_steps)", "{{step}}"}}},
			{Title: "ATXs published", Unit: "short", Queries: []Query{{"sum(increase(smeshery_activation_atxs_published_total" + rate + "))", "published"}}},
			{Title: "Rounds that failed", Unit: "short", Queries: []Query{
				{"sum by (reason) (increase(smeshery_activation_rounds_failed_total" + rate + "))", "{{reason}}"},
			}},
			{Title: "Time left", Help: "To publish: of the identity that has least, not shown while nobody works on an ATX. To register: until the next round begins.", Unit: "s", Queries: []Query{
				{"min(smeshery_activation_publish_ends_seconds)", "to publish"},
				{"min(smeshery_activation_registration_closes_seconds)", "to register"},
			}},
			{Title: "Requests to PoETs", Unit: "short", Queries: []Query{
				{"sum by (operation, outcome) (increase(smeshery_activation_poet_requests_total" + rate + "))", "{{operation}} {{outcome}}"},
			}},
			{Title: "Verification", Help: "Cores that verify, by kind.", Unit: "short", Stacked: true, Queries: []Query{
				{"sum by (kind) (rate(smeshery_activation_verify_seconds_total" + rate + "))", "{{kind}}"},
			}},
		}},
		{"Guard and leases", []Panel{
			{Title: "Signatures", Unit: "ops", Stacked: true, Queries: []Query{
				{`sum by (slot) (rate(smeshery_activation_signatures_total{outcome="signed"}` + rate + "))", "{{slot}}"},
			}},
			{Title: "Not signed", Unit: "short", Queries: []Query{
				{`sum by (slot, outcome) (increase(smeshery_activation_signatures_total{outcome!="signed"}` + rate + "))", "{{slot}} {{outcome}}"},
			}},
			{Title: "From request to the guard's commit, 95th percentile", Unit: "s", Queries: []Query{{quantile("smeshery_activation_guard_seconds", ""), "guard"}}},
			{Title: "Audit events", Unit: "ops", Queries: []Query{{"sum(rate(smeshery_activation_audit_total" + rate + "))", "events"}}},
			{Title: "Leases held", Unit: "short", Queries: each(append([]string{"activation"}, Leased()...), "sum(smeshery_SERVICE_lease_held)", "SERVICE")},
			{Title: "Changes of leases", Unit: "short", Queries: each(append([]string{"activation"}, Leased()...),
				"sum by (what) (increase(smeshery_SERVICE_lease_changes_total"+rate+"))", "SERVICE {{what}}")},
		}},
	}}
}

func postBoard() Dashboard {
	return Dashboard{UID: "post", Title: "PoST work", Rows: []Row{
		{"Tasks", []Panel{
			{Title: "Open tasks", Unit: "short", Stacked: true, Queries: []Query{{"sum by (kind, state) (smeshery_activation_tasks_open)", "{{kind}} {{state}}"}}},
			{Title: "Oldest task", Unit: "s", Queries: []Query{{"max by (kind, state) (smeshery_activation_tasks_oldest_seconds)", "{{kind}} {{state}}"}}},
			{Title: "What happened to tasks", Unit: "short", Queries: []Query{
				{"sum by (kind, event) (increase(smeshery_activation_tasks_total" + rate + ")) > 0 or sum by (event) (increase(smeshery_activation_tasks_total" + rate + "))", "{{kind}} {{event}}"},
			}},
			{Title: "Progress of open tasks", Help: "Done of all units of the tasks that have begun.", Unit: "short", Queries: []Query{
				{"sum by (kind) (smeshery_activation_tasks_done_units)", "{{kind}} done"},
				{"sum by (kind) (smeshery_activation_tasks_total_units)", "{{kind}} total"},
			}},
		}},
		{"Workers", []Panel{
			{Title: "Running", Unit: "short", Queries: []Query{{"sum by (kind) (smeshery_post_worker_tasks_running)", "{{kind}}"}}},
			{Title: "Attempts", Unit: "short", Queries: []Query{{"sum by (kind, outcome) (increase(smeshery_post_worker_tasks_total" + rate + "))", "{{kind}} {{outcome}}"}}},
			{Title: "Duration of attempts, 95th percentile", Unit: "s", Queries: []Query{{quantile("smeshery_post_worker_task_seconds", "kind"), "{{kind}}"}}},
			{Title: "Labels made", Unit: "ops", Queries: []Query{{"sum(rate(smeshery_post_worker_labels_total" + rate + "))", "labels"}}},
			{Title: "Data read for proofs", Unit: "Bps", Queries: []Query{{"sum(rate(smeshery_post_worker_scanned_bytes_total" + rate + "))", "read"}}},
			{Title: "Data on disks", Help: "Of how many identities, as found at the start.", Unit: "short", Queries: []Query{
				{orZero("sum by (state) (smeshery_post_worker_spaces)"), "{{state}}"},
			}},
		}},
		{"Post-services", []Panel{
			{Title: "Connected", Unit: "short", Queries: []Query{{orZero("sum(smeshery_activation_post_services)"), "connected"}}},
			{Title: "Proofs", Unit: "short", Queries: []Query{
				{orZero("sum by (outcome) (increase(smeshery_activation_post_service_proofs_total" + rate + "))"), "{{outcome}}"},
			}},
		}},
	}}
}

func poetBoard() Dashboard {
	return Dashboard{UID: "poet", Title: "PoET", Rows: []Row{
		{"Rounds", []Panel{
			{Title: "Open round", Unit: "short", Stat: true, Queries: []Query{{"max(smeshery_poet_open_round)", ""}}},
			{Title: "Round at work", Unit: "short", Stat: true, Queries: []Query{{"max(smeshery_poet_work_round)", ""}}},
			{Title: "Members of the open round", Unit: "short", Stat: true, Queries: []Query{{"max(smeshery_poet_members)", ""}}},
			{Title: "Registration closes in", Unit: "s", Stat: true, Queries: []Query{{"min(smeshery_poet_registration_closes_seconds)", ""}}},
			{Title: "Rounds proved", Help: "In the time shown.", Unit: "short", Stat: true, Queries: []Query{{"sum(increase(smeshery_poet_rounds_proved_total[$__range]))", ""}}},
		}},
		{"Work", []Panel{
			{Title: "Leaves", Unit: "short", Queries: []Query{{"max(smeshery_poet_leaves)", "leaves"}}},
			{Title: "Leaves a second", Unit: "ops", Queries: []Query{{"max(clamp_min(deriv(smeshery_poet_leaves" + rate + "), 0))", "leaves"}}},
			{Title: "Members", Unit: "short", Queries: []Query{{"max(smeshery_poet_members)", "members"}}},
		}},
		{"Requests", []Panel{
			{Title: "Requests", Unit: "ops", Queries: []Query{
				{"sum by (operation, status) (rate(smeshery_poet_request_seconds_count" + rate + "))", "{{operation}} {{status}}"},
			}},
			{Title: "Duration, 95th percentile", Unit: "s", Queries: []Query{{quantile("smeshery_poet_request_seconds", "operation"), "{{operation}}"}}},
			{Title: "Requests of own identities", Unit: "short", Queries: []Query{
				{"sum by (operation, outcome) (increase(smeshery_activation_poet_requests_total" + rate + "))", "{{operation}} {{outcome}}"},
			}},
		}},
	}}
}
