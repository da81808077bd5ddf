// Package telemetry is how a service is watched: its logger, its metrics registry
// and its admin server.
//
// All of them belong to one service instance and are handed to it as
// dependencies; there is no logger, registry or HTTP handler of the process, so
// that two instances of a service can run in one process and be told apart.
//
//	GET /metrics   Prometheus text, of this instance (or of all that share the server)
//	GET /healthz   200 while the process can answer at all
//	GET /readyz    200 when ready, else 503 with the reason of each part
//	GET /debug/pprof/…
//
// The admin port is for the cluster's own: it has no authentication and is bound
// to the loopback address unless configured otherwise.
//
// Keys of log attributes are constants here, so that a search finds every
// service. Metrics are named smeshery_<service>_<thing>_<unit>[_total], in base
// units, and never carry an identity, a peer or an object as label.
package telemetry
