package monitoring

import "time"

// epoch is the duration of an epoch.
const epoch = "max by (network) (smeshery_consensus_epoch_layers * smeshery_consensus_layer_duration_seconds)"

func identityAlerts() Group {
	return Group{Name: "identities", Title: "Identities", Alerts: []Alert{
		{
			Name: "GuardRefusal", Severity: Critical,
			Expr:    `sum by (network, slot) (` + rises(`smeshery_activation_signatures_total{outcome="refused"}`, "10m") + `) > 0`,
			Summary: "The guard refused {{ $value | humanize }} signatures of kind {{ $labels.slot }}",
			Means:   "Somebody asked for a second, different signature in a slot. Signing it would have been equivocation, and the identity's end. The guard prevented it; why it was asked is a bug, a database that was set back, or quarantine after a restore.",
			Look:    "The table `activation.audit` for outcome, slot and identity; logs with `was not signed` and the reason (`conflict` or `quarantine`); whether consensus runs twice, or a backup was restored.",
			Do:      "In quarantine: wait until the slots have passed. Otherwise keep logs and the database, and report it. Do not delete rows of `signed_slots`, do not move keys to another database.",
		},
		{
			Name: "SigningNotOurs", For: time.Minute, Severity: Warning,
			Expr:    `sum by (network) (` + rises(`smeshery_activation_signatures_total{outcome="not_ours"}`, "10m") + `) > 5`,
			Summary: "Signatures were asked of a process that does not hold the identity",
			Means:   "After a change of leases this happens once. If it goes on, whoever asks looks at old rows.",
			Look:    "Leases on dashboard Identities; logs of consensus for identities and their holders.",
			Do:      "See LeaseFlapping. Restart consensus if it asks an activation that is gone.",
		},
		{
			Name: "RegistrationMissing", Severity: Critical,
			Expr:    "min by (network) (smeshery_activation_registration_closes_seconds) < on (network) (0.01 * " + epoch + ")\nand on (network) (sum by (network) (smeshery_activation_identity_steps{step=\"registering\"}) > 0)",
			Summary: "An identity is not registered at any PoET and its round begins in {{ $value | humanizeDuration }}",
			Means:   "Who does not register before the round begins has no ATX for the epoch after it: no rewards for a whole epoch.",
			Look:    "Requests to PoETs on dashboard Identities; `smeshery identity list` for the identity and its note; logs `not registered`.",
			Do:      "See that the PoETs answer from this machine (`/v1/info`); add another PoET to the configuration and restart activation: steps are rows, nothing is lost.",
		},
		{
			Name: "ATXNotPublished", Severity: Critical,
			Expr:    "min by (network) (smeshery_activation_publish_ends_seconds) < on (network) (0.1 * " + epoch + ")",
			Summary: "An identity has {{ $value | humanizeDuration }} left to publish its ATX",
			Means:   "An ATX that is not published before its epoch ends is lost, and with it the rewards of the next epoch.",
			Look:    "Steps on dashboard Identities: waiting for a PoET (see PoetUnreachable), proving (see TaskWithoutWorker, TaskStalled), publishing.",
			Do:      "Repair the step it stands at. More or faster workers shorten proving; a task may be taken by any worker that has the data's disk.",
		},
		{
			Name: "ATXMissed", Severity: Critical,
			Expr:    `sum by (network) (` + rises(`smeshery_activation_rounds_failed_total{reason="expired"}`, "1h") + `) > 0`,
			Summary: "{{ $value | humanize }} identities missed the time for an ATX",
			Means:   "These identities have no ATX for the epoch and take no part in it. They begin anew for the next.",
			Look:    "Logs `round did not succeed` with the identity and the reason.",
			Do:      "Nothing brings the epoch back. See that the cause is gone before the next round begins.",
		},
		{
			Name: "PoetUnreachable", For: time.Minute, Severity: Warning,
			Expr:    `sum by (network) (` + rises(`smeshery_activation_poet_requests_total{outcome="failed"}`, "10m") + `) > 0`,
			Summary: "{{ $value | humanize }} requests to PoETs failed with all their tries",
			Means:   "A PoET does not answer, refuses, or has another phase shift. With others left this costs nothing.",
			Look:    "Logs `not registered` and `no proof` with PoET and reason; the PoET's `/v1/info`.",
			Do:      "If it is ours: dashboard PoET. If not: tell its operator, have another one configured before the round begins.",
		},
	}}
}

func workAlerts() Group {
	return Group{Name: "post", Title: "PoST work", Alerts: []Alert{
		{
			Name: "TaskWithoutWorker", For: 2 * time.Minute, Severity: Critical,
			Expr: "(max by (network, kind) (smeshery_activation_tasks_oldest_seconds{state=\"waiting\"}) > 120)\n" +
				"unless on (network, kind) (max by (network, kind) (smeshery_activation_tasks_open{state=\"running\"}) > 0)",
			Summary: "Tasks of kind {{ $labels.kind }} wait {{ $value | humanizeDuration }} and no worker takes them",
			Means:   "No worker for this kind runs, or none has the disk with the data. Proofs for ATXs have a hard deadline.",
			Look:    "Dashboard PoST work; are workers connected, which stores do they announce (`activation.spaces`).",
			Do:      "Start a worker on the machine that has the data; in a cluster look at the pool's scaling and node selectors.",
		},
		{
			Name: "TasksPileUp", For: 10 * time.Minute, Severity: Warning,
			Expr:    "max by (network, kind) (smeshery_activation_tasks_oldest_seconds{state=\"waiting\"}) > on (network) group_left () (0.05 * " + epoch + ")",
			Summary: "A task of kind {{ $labels.kind }} has waited {{ $value | humanizeDuration }}",
			Means:   "Workers do not keep up. Proofs must fit into the cycle gap.",
			Look:    "Duration of attempts and running tasks on dashboard PoST work.",
			Do:      "Add workers. Initialisation gives way to proofs by itself.",
		},
		{
			Name: "TaskStalled", For: 10 * time.Minute, Severity: Warning,
			Expr: "(sum by (network, kind) (smeshery_activation_tasks_open{state=\"running\"}) > 0)\n" +
				"and on (network, kind) (sum by (network, kind) (changes(smeshery_activation_tasks_done_units[10m])) == 0)",
			Summary: "Running tasks of kind {{ $labels.kind }} make no progress",
			Means:   "The worker beats, and does nothing: a disk or device that hangs.",
			Look:    "The worker's logs and its machine: disk, GPU, throttling.",
			Do:      "Restart the worker; its task goes on where it stopped, there or on another one with the disk.",
		},
		{
			Name: "WorkerLost", Severity: Warning,
			Expr:    `sum by (network, kind) (` + rises(`smeshery_activation_tasks_total{event="lost"}`, "15m") + `) > 0`,
			Summary: "A worker was lost while it had a task of kind {{ $labels.kind }}",
			Means:   "A worker was silent for so long that its task was given to another. What it still does is not taken.",
			Look:    "Is the process alive; its logs; the network to NATS.",
			Do:      "Restart it. If it comes back by itself and is lost again, look at memory and the machine.",
		},
		{
			Name: "TaskFailed", Severity: Warning,
			Expr:    `sum by (network, kind, event) (` + rises(`smeshery_activation_tasks_total{event=~"failed|late"}`, "15m") + `) > 0`,
			Summary: "Tasks of kind {{ $labels.kind }} ended {{ $labels.event }}",
			Means:   "`failed`: no attempt can succeed, for example because the data is damaged. `late`: the result is of no use any more.",
			Look:    "`activation.tasks.error` of the newest failed tasks; the worker's logs.",
			Do:      "Damaged data: `smeshery post verify` on it, and initialise it again if it is beyond repair.",
		},
		{
			Name: "PostServiceProofsFailing", Severity: Warning,
			Expr:    `sum by (network, outcome) (` + rises(`smeshery_activation_post_service_proofs_total{outcome!="done"}`, "1h") + `) > 0`,
			Summary: "Proofs asked of post-services ended {{ $labels.outcome }}",
			Means:   "A post-service went away while it proved, or its proof does not verify.",
			Look:    "The post-service's log; connected post-services on dashboard PoST work.",
			Do:      "Restart the post-service; check its data and its version.",
		},
	}}
}

func poetAlerts() Group {
	return Group{Name: "poet", Title: "PoET", Alerts: []Alert{
		{
			Name: "PoetWorkStalled", For: 2 * time.Minute, Severity: Critical,
			Expr:    "(max by (network, instance) (smeshery_poet_leaves) > 0)\nand on (network, instance) (max by (network, instance) (changes(smeshery_poet_leaves[5m])) == 0)",
			Summary: "The PoET's round at work makes no leaves",
			Means:   "Sequential work stands still. Every minute lost costs ticks of all members.",
			Look:    "CPU of the process (one core must be busy), its disk, its logs.",
			Do:      "Restart it: the round goes on from its last checkpoint. The core should not be shared.",
		},
		{
			Name: "PoetRequestsFailing", For: time.Minute, Severity: Warning,
			Expr:    `sum by (network, operation) (` + rises(`smeshery_poet_request_seconds_count{status=~"5.."}`, "10m") + `) > 0`,
			Summary: "The PoET answers {{ $labels.operation }} with errors of its own",
			Means:   "Members cannot register or fetch proofs.",
			Look:    "Logs of poet; dashboard Database for its pool.",
			Do:      "Repair Postgres or add front ends; clients try again until the round begins.",
		},
		{
			Name: "PoetProofMissing", For: time.Minute, Severity: Critical,
			Expr:    "(max by (network) (smeshery_poet_open_round) - 1) - max by (network) (smeshery_poet_work_round) > 1\nand on (network) (max by (network) (smeshery_poet_leaves) > 0)",
			Summary: "The PoET works on round {{ $value | humanize }} rounds ago",
			Means:   "The PoET is behind its calendar: proofs come after their members' deadlines.",
			Look:    "Logs of poet: `a round is skipped`, `the worker stopped and tries again`.",
			Do:      "See that a worker holds the lease (NoLeaseHeld) and has the files of its rounds.",
		},
	}}
}
