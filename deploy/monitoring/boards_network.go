package monitoring

const rate = "[$__rate_interval]"

// quantile is the 95th percentile of a histogram by labels.
func quantile(metric, by string) string {
	if by != "" {
		by = ", " + by
	}
	return "histogram_quantile(0.95, sum by (le" + by + ") (rate(" + metric + "_bucket" + rate + ")))"
}

func networkBoard() Dashboard {
	return Dashboard{UID: "network", Title: "Network", Rows: []Row{
		{"Where we are", []Panel{
			{Title: "Epoch", Unit: "short", Stat: true, Queries: []Query{{"max(smeshery_consensus_clock_epoch)", ""}}},
			{Title: "Layer by the clock", Unit: "short", Stat: true, Queries: []Query{{"max(smeshery_consensus_clock_layer)", ""}}},
			{Title: "Applied layer", Unit: "short", Stat: true, Queries: []Query{{"max(smeshery_state_applied_layer)", ""}}},
			{Title: "Layers behind", Help: "How far the state is behind the clock. One is normal.", Unit: "short", Stat: true, Queries: []Query{
				{"max(smeshery_consensus_clock_layer) - max(smeshery_state_applied_layer)", ""},
			}},
			{Title: "In sync", Unit: "short", Stat: true, Queries: []Query{{"max(smeshery_consensus_synced)", ""}}},
			{Title: "Peers", Help: "A network of one node has none.", Unit: "short", Stat: true, Queries: []Query{{"sum(smeshery_gossip_peers)", ""}}},
		}},
		{"Layers", []Panel{
			{Title: "Layers", Unit: "short", Queries: []Query{
				{"max(smeshery_consensus_clock_layer)", "clock"},
				{"max(smeshery_consensus_processed_layer)", "processed"},
				{"max(smeshery_consensus_verified_layer)", "verified"},
				{"max(smeshery_state_applied_layer)", "applied"},
			}},
			{Title: "Blocks and transactions", Help: "Transactions of applied blocks, and those that wait.", Unit: "short", Queries: []Query{
				{"sum(smeshery_state_mempool_transactions)", "mempool"},
				{orZero("sum by (outcome) (increase(smeshery_state_transactions_total" + rate + "))"), "{{outcome}}"},
			}},
			{Title: "Applying a block, 95th percentile", Unit: "s", Queries: []Query{{quantile("smeshery_state_layer_seconds", "phase"), "{{phase}}"}}},
		}},
		{"Gossip", []Panel{
			{Title: "Own messages by topic", Unit: "ops", Queries: []Query{
				{`sum by (topic) (rate(smeshery_gossip_own_messages_total{outcome="accept"}` + rate + "))", "{{topic}}"},
			}},
			{Title: "Own messages by what became of them", Unit: "ops", Stacked: true, Queries: []Query{
				{"sum by (outcome) (rate(smeshery_gossip_own_messages_total" + rate + "))", "{{outcome}}"},
			}},
			{Title: "Time of judging, 95th percentile", Unit: "s", Queries: []Query{{quantile("smeshery_gossip_judge_seconds", "topic"), "{{topic}}"}}},
			{Title: "ATXs, proofs and poet proofs judged", Unit: "ops", Queries: []Query{
				{"sum by (object, verdict) (rate(smeshery_activation_objects_total" + rate + "))", "{{object}} {{verdict}}"},
			}},
			{Title: "Blocks and transactions judged", Unit: "ops", Queries: []Query{
				{orZero("sum by (kind, verdict) (rate(smeshery_state_judged_total" + rate + "))"), "{{kind}} {{verdict}}"},
			}},
			{Title: "Objects that no peer had", Unit: "ops", Queries: []Query{{"sum(rate(smeshery_gossip_unfetched_objects_total" + rate + "))", "unfetched"}}},
		}},
	}}
}

func consensusBoard() Dashboard {
	return Dashboard{UID: "consensus", Title: "Consensus", Rows: []Row{
		{"Leading", []Panel{
			{Title: "Leaders", Help: "Exactly one process does the duties.", Unit: "short", Stat: true, Queries: []Query{{"sum(smeshery_consensus_leading)", ""}}},
			{Title: "Identities", Unit: "short", Stat: true, Queries: []Query{{"sum(smeshery_consensus_identities)", ""}}},
			{Title: "Beacon", Help: "1: the epoch's beacon is known.", Unit: "short", Stat: true, Queries: []Query{
				{`max(smeshery_consensus_beacon_known{epoch="current"})`, "current"},
				{`max(smeshery_consensus_beacon_known{epoch="next"})`, "next"},
			}},
			{Title: "Layers that went by", Help: "In the time shown.", Unit: "short", Stat: true, Queries: []Query{{"sum(increase(smeshery_consensus_layers_missed_total[$__range]))", ""}}},
		}},
		{"Proposals", []Panel{
			{Title: "Proposals", Unit: "short", Queries: []Query{
				{"sum(increase(smeshery_consensus_proposals_built_total" + rate + "))", "built"},
				{"sum(increase(smeshery_consensus_proposals_late_total" + rate + "))", "late"},
				{"sum(increase(smeshery_consensus_proposals_unsigned_total" + rate + "))", "not signed"},
			}},
			{Title: "From layer to proposals, 95th percentile", Help: "Must stay below hare's preround delay.", Unit: "s", Queries: []Query{
				{quantile("smeshery_consensus_proposals_delay_seconds", ""), "delay"},
			}},
			{Title: "Duties, 95th percentile", Unit: "s", Queries: []Query{{quantile("smeshery_consensus_duty_seconds", "duty"), "{{duty}}"}}},
			{Title: "Duties that failed", Unit: "short", Queries: []Query{
				{"sum by (duty) (increase(smeshery_consensus_duties_failed_total" + rate + "))", "{{duty}}"},
			}},
		}},
		{"Hare", []Panel{
			{Title: "Layers by outcome", Unit: "short", Queries: []Query{
				{"sum by (outcome) (increase(smeshery_consensus_hare_layers_total" + rate + "))", "{{outcome}}"},
			}},
			{Title: "What was made of outputs", Unit: "short", Queries: []Query{
				{"sum by (made) (increase(smeshery_consensus_hare_outputs_total" + rate + "))", "{{made}}"},
			}},
			{Title: "Own messages", Unit: "ops", Queries: []Query{
				{"sum(rate(smeshery_consensus_hare_published_total" + rate + "))", "published"},
				{"sum(rate(smeshery_consensus_hare_unsigned_total" + rate + "))", "not signed"},
			}},
			{Title: "From a round to its own messages, 95th percentile", Unit: "s", Queries: []Query{
				{quantile("smeshery_consensus_hare_speaking_seconds", ""), "delay"},
			}},
			{Title: "Peers' messages by verdict", Unit: "ops", Queries: []Query{
				{orZero("sum by (verdict) (rate(smeshery_consensus_hare_messages_total" + rate + "))"), "{{verdict}}"},
			}},
			{Title: "Certify messages", Unit: "ops", Queries: []Query{{"sum(rate(smeshery_consensus_certify_published_total" + rate + "))", "published"}}},
		}},
		{"Beacon and tortoise", []Panel{
			{Title: "Beacon messages", Unit: "ops", Queries: []Query{
				{"sum(rate(smeshery_consensus_beacon_messages_published_total" + rate + "))", "published"},
				{"sum(rate(smeshery_consensus_beacon_requests_unsigned_total" + rate + "))", "not signed"},
			}},
			{Title: "Layers processed", Unit: "short", Queries: []Query{{"sum(increase(smeshery_consensus_layers_processed_total" + rate + "))", "processed"}}},
			{Title: "Behind the clock", Unit: "short", Queries: []Query{
				{"max(smeshery_consensus_clock_layer) - max(smeshery_consensus_processed_layer)", "processed"},
				{"max(smeshery_consensus_clock_layer) - max(smeshery_consensus_verified_layer)", "verified"},
				{"max(smeshery_consensus_clock_layer) - max(smeshery_consensus_in_state_layer)", "in state"},
			}},
			{Title: "Ballots judged", Unit: "ops", Queries: []Query{{"sum(rate(smeshery_consensus_ballots_total" + rate + "))", "ballots"}}},
			{Title: "VRF verification", Unit: "ops", Queries: []Query{
				{"sum(rate(smeshery_consensus_vrf_verifications_total" + rate + "))", "proofs"},
				{"sum(rate(smeshery_consensus_vrf_verification_seconds_total" + rate + "))", "cores"},
			}},
		}},
	}}
}
