package monitoring

import "time"

func leaseAlerts() Group {
	return Group{Name: "leases", Title: "Leases", Alerts: []Alert{
		{
			Name: "NoLeaseHeld", For: 30 * time.Second, Severity: Critical,
			Expr:    anyOf(Leased(), "(sum by (network) (smeshery_SERVICE_lease_held) == 0)"),
			Summary: "No process of {{ $labels.service }} holds its lease",
			Means:   "Nobody does the service's work: without state no layer is applied, without consensus nothing is proposed or voted, without poet no round is worked on. Every layer costs all rewards.",
			Look:    "`/readyz` of all processes of the service; their logs for `leases were not renewed` and `cannot lead`; dashboard Database for Postgres; the table `lease` of the service's schema for holder and expiry.",
			Do:      "If Postgres is away, bring it back: the lease is taken again by itself. If a process hangs, stop it; another takes over after the lease's TTL. If the row's holder is a process that does not exist, wait for the TTL, never edit the row.",
		},
		{
			Name: "IdentityWithoutLease", For: time.Minute, Severity: Critical,
			Expr:    "sum by (network) (smeshery_activation_lease_wanted) - sum by (network) (smeshery_activation_lease_held) > 0",
			Summary: "{{ $value | humanize }} identities are not held by any process",
			Means:   "These identities sign nothing: no ATX, ballot, hare or beacon message.",
			Look:    "Dashboard Identities, leases; logs of activation for `lease`, `leases were not renewed`, `identities were not shared out`; whether a second activation with the same keys runs and holds them.",
			Do:      "As for NoLeaseHeld. After a process was killed this ends with the TTL of its leases.",
		},
		{
			Name: "LeaseFlapping", Severity: Critical,
			Expr: anyOf(append([]string{"activation"}, Leased()...),
				`(sum by (network) (`+rises(`smeshery_SERVICE_lease_changes_total{what="lost"}`, "15m")+`) > 2)`),
			Summary: "{{ $labels.service }} lost leases {{ $value | humanize }} times in 15 minutes",
			Means:   "Processes take leases from each other because renewals come too late. Each change interrupts the duties of at least a layer. It is not equivocation: terms and the guard prevent that.",
			Look:    "`smeshery_<service>_lease_rounds_failed_total`, dashboard Database (wait for a connection, durations), CPU of the processes, clocks of the machines.",
			Do:      "Relieve Postgres or the machine. If that is not possible at once, raise the TTL of the leases, or run a single process of the service.",
		},
		{
			Name: "LeaseRenewalFailing", For: 30 * time.Second, Severity: Warning,
			Expr: anyOf(append([]string{"activation"}, Leased()...),
				"(sum by (network) ("+rises("smeshery_SERVICE_lease_rounds_failed_total", "5m")+") > 2)"),
			Summary: "{{ $labels.service }} cannot renew its leases",
			Means:   "Rounds of renewal fail. Once the trust window has passed the holder stops acting.",
			Look:    "Logs for `leases were not renewed` with the reason; dashboard Database.",
			Do:      "Bring Postgres back, or free connections (see DatabaseConnectionsExhausted).",
		},
		{
			Name: "SeveralLeaders", For: 30 * time.Second, Severity: Critical,
			Expr:    "sum by (network) (smeshery_consensus_leading) > 1",
			Summary: "{{ $value | humanize }} processes think that they lead consensus",
			Means:   "More than one process does duties. Their writes are fenced by the lease's term and signatures by the guard, so only one succeeds, but messages of ours may contradict each other in what is not guarded.",
			Look:    "`smeshery_consensus_leading` by instance; the clocks of the machines; whether two deployments share a database.",
			Do:      "Stop all but the one whose name stands in `consensus.lease`.",
		},
	}}
}

// behind is how many layers something is behind the clock, once layers have
// ballots.
func behind(metric, more string) string {
	return "(max by (network) (smeshery_consensus_clock_layer) - max by (network) (" + metric + ") > " + more + ")\n" +
		"and on (network) (max by (network) (smeshery_consensus_clock_layer - smeshery_consensus_effective_genesis_layer) > " + more + ")"
}

func layerAlerts() Group {
	return Group{Name: "layers", Title: "Layers", Alerts: []Alert{
		{
			Name: "NotSynced", For: 2 * time.Minute, Severity: Critical,
			Expr:    "max by (network) (smeshery_consensus_synced) == 0",
			Summary: "The node is not in sync and takes no part",
			Means:   "Consensus stays behind the clock, so it neither proposes nor votes.",
			Look:    "Dashboard Network: layers by the clock, processed, applied. Logs of consensus for `layers are not processed`, `blocks are missing`.",
			Do:      "If processed layers advance, wait: it catches up. If not, see LayerNotProcessed.",
		},
		{
			Name: "LayerNotProcessed", For: 30 * time.Second, Severity: Critical,
			Expr:    behind("smeshery_consensus_processed_layer", "4"),
			Summary: "The tortoise is {{ $value | humanize }} layers behind the clock",
			Means:   "Layers end without being counted. The node's votes get old, and after a few more layers its ballots are of no use.",
			Look:    "`smeshery_consensus_duties_failed_total{duty=\"processing\"}`, logs `layers are not processed`; `smeshery_state_serving`; calls from consensus on dashboard Bus.",
			Do:      "Repair what the log names: state that does not answer, Postgres, missing blocks. A restart of consensus is safe: it rebuilds itself from rows.",
		},
		{
			Name: "LayerNotApplied", For: 30 * time.Second, Severity: Warning,
			Expr:    behind("smeshery_state_applied_layer", "4"),
			Summary: "The state is {{ $value | humanize }} layers behind the clock",
			Means:   "Blocks are not executed. Proposals are built on an old state and without a mesh hash.",
			Look:    "Dashboard Consensus, what was made of outputs; dashboard Network, applying a block; logs of state.",
			Do:      "As for LayerNotProcessed; with a slow state look at the durations of its phases and of Postgres.",
		},
		{
			Name: "StateBehind", For: time.Minute, Severity: Critical,
			Expr:    behind("smeshery_state_applied_layer", "12"),
			Summary: "The state is {{ $value | humanize }} layers behind the clock",
			Means:   "The state does not follow at all. Users see old balances, and rewards are not credited here.",
			Look:    "As for LayerNotApplied; `smeshery_state_serving` (0 everywhere: NoLeaseHeld).",
			Do:      "Restart state if it hangs. If a block is refused for good the log says which rule it breaks: keep the data directory and report it.",
		},
		{
			Name: "StateReverted", Severity: Warning,
			Expr:    "sum by (network) (" + rises("smeshery_state_reverts_total", "15m") + ") > 0",
			Summary: "Applied layers were reverted",
			Means:   "The network came to another opinion than ours about applied blocks. Once is healing; again and again is a partition, or a rule in which we differ.",
			Look:    "Logs of consensus for `reverted`, and of which layers; dashboard Network, peers.",
			Do:      "Once: nothing. Repeatedly: compare the state root of a reverted layer with another node, keep the data directory, report it.",
		},
		{
			Name: "TortoiseStalled", For: 5 * time.Minute, Severity: Warning,
			Expr:    behind("smeshery_consensus_verified_layer", "20"),
			Summary: "No layer was verified for {{ $value | humanize }} layers",
			Means:   "Ballots do not cross the tortoise's threshold: much of the weight is silent, or we do not hear it.",
			Look:    "Ballots judged on dashboard Consensus; peers; whether the beacon is the network's.",
			Do:      "If we are cut off, repair the connection. If the whole network is silent, wait: full mode takes over.",
		},
		{
			Name: "LayersMissed", Severity: Warning,
			Expr:    "sum by (network) (" + rises("smeshery_consensus_layers_missed_total", "15m") + ") > 0",
			Summary: "{{ $value | humanize }} layers went by without duties",
			Means:   "Duties of one layer took so long that the next went by, or the clock jumped. All identities lost the rewards of these layers.",
			Look:    "Duration of duties on dashboard Consensus; time synchronisation of the machine; suspended machines.",
			Do:      "Take load off the machine or Postgres; make the clock run evenly.",
		},
		{
			Name: "DutyFailed", Severity: Warning,
			Expr:    "sum by (network, duty) (" + rises("smeshery_consensus_duties_failed_total", "10m") + ") > 0",
			Summary: "The duty {{ $labels.duty }} failed",
			Means:   "A duty of a layer was not done: `proposals` and `hare` cost rewards, `beacon` may cost an epoch, `lease` is a layer left out because the lease was outside its trust window.",
			Look:    "Logs of consensus for `a duty of the layer failed` with the reason.",
			Do:      "Repair what is named. The next layer tries again by itself.",
		},
		{
			Name: "ProposalsMissed", Severity: Warning,
			Expr:    "(sum by (network) (" + rises("smeshery_consensus_proposals_unsigned_total", "10m") + ") > 0)\nor (sum by (network) (" + rises("smeshery_consensus_proposals_late_total", "10m") + ") > 0)",
			Summary: "Proposals came too late or were not signed",
			Means:   "Proposals that are handed over after hare's preround are in no block; their identities get no reward for the layer.",
			Look:    "Dashboard Consensus, from layer to proposals and not signed; dashboard Identities for the guard's time and leases.",
			Do:      "Unsigned: see IdentityWithoutLease and GuardRefusal. Late: find what takes the time among duties, guard and Postgres.",
		},
		{
			Name: "HareFailed", Severity: Warning,
			Expr:    `sum by (network) (` + rises(`smeshery_consensus_hare_layers_total{outcome="failed"}`, "15m") + `) > 0`,
			Summary: "Hare failed in {{ $value | humanize }} layers",
			Means:   "No agreement came about here. The network may have one; then certificates or the tortoise bring the block, otherwise the layer is empty.",
			Look:    "Logs `hare failed`; own messages published and not signed; the delay of own messages against the round's duration.",
			Do:      "A single one is nothing. Several: look at peers and at the delay; with a single node, at CPU and the guard.",
		},
		{
			Name: "HareOutputLost", Severity: Critical,
			Expr:    `sum by (network) (` + rises(`smeshery_consensus_hare_outputs_total{made="none"}`, "15m") + `) > 0`,
			Summary: "No block was made of hare's output in {{ $value | humanize }} layers",
			Means:   "Hare agreed, and we could not make the block: we cannot certify, and lose our say about the layer.",
			Look:    "Logs `no block was made of hare's output` with the reason: missing proposals, transactions, state.",
			Do:      "Repair what is named; the block comes from the network with its certificate.",
		},
		{
			Name: "BeaconMissing", For: 30 * time.Second, Severity: Critical,
			Expr: "(max by (network) (smeshery_consensus_beacon_known{epoch=\"current\"}) == 0)\n" +
				"and on (network) (max by (network) (smeshery_consensus_clock_layer - smeshery_consensus_effective_genesis_layer) > 0)",
			Summary: "The beacon of this epoch is not known",
			Means:   "Without it nobody can propose or vote: the whole epoch is lost unless it comes.",
			Look:    "Beacon messages on dashboard Consensus; logs of consensus for `the beacon failed`.",
			Do:      "It is learnt from ballots of others as soon as enough came. If the network has none either, give the fallback that the network agrees on.",
		},
		{
			Name: "NextBeaconMissing", For: 30 * time.Second, Severity: Warning,
			Expr: "(max by (network) (smeshery_consensus_beacon_known{epoch=\"next\"}) == 0)\n" +
				"and on (network) (max by (network) (smeshery_consensus_clock_layer % smeshery_consensus_epoch_layers / smeshery_consensus_epoch_layers) > 0.9)\n" +
				"and on (network) (max by (network) (smeshery_consensus_clock_layer - smeshery_consensus_effective_genesis_layer) > max by (network) (smeshery_consensus_epoch_layers))",
			Summary: "The beacon of the next epoch is not known and the epoch ends soon",
			Means:   "The beacon protocol of this epoch has not come to an end.",
			Look:    "Beacon messages published and not signed; logs `a beacon message is lost`.",
			Do:      "See that signing and gossip work. At the epoch's start it becomes BeaconMissing.",
		},
	}}
}
