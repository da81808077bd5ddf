package db

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed sql/*.sql
var statements embed.FS

// Schema is everything that consensus keeps in Postgres.
func Schema() store.Schema {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return store.Schema{Name: "consensus", Parts: []store.Part{{Name: "consensus", Files: files}, lease.Part(), outbox.Part()}}
}

// statement reads an embedded query; a name without a file is a mistake of this
// package that every start shows.
func statement(name string) string {
	raw, err := statements.ReadFile("sql/" + name + ".sql")
	if err != nil {
		panic(fmt.Sprintf("query %s: %v", name, err))
	}
	return string(raw)
}

var (
	insertBallotsSQL     = statement("insert_ballots")
	ballotsOfSlotsSQL    = statement("ballots_of_slots")
	equivocationsSQL     = statement("equivocations")
	ballotsInLayerSQL    = statement("ballots_in_layer")
	firstBallotsSQL      = statement("first_ballots")
	referenceBallotSQL   = statement("reference_ballot")
	maxBallotLayerSQL    = statement("max_ballot_layer")
	insertActiveSetsSQL  = statement("insert_activesets")
	activeSetSQL         = statement("activeset")
	certificatesSQL      = statement("certificates")
	upsertCertificateSQL = statement("upsert_certificate")
	setCertificatesSQL   = statement("set_certificates")
	insertExecutingSQL   = statement("insert_executing")
	deleteExecutingSQL   = statement("delete_executing")
	executingSQL         = statement("executing")
	insertOutputSQL      = statement("insert_output")
	insertBeaconSQL      = statement("insert_beacon")
	beaconsSQL           = statement("beacons")
	setCoinSQL           = statement("set_coin")
	setProcessedSQL      = statement("set_processed")
	setHashSQL           = statement("set_hash")
	clearHashesSQL       = statement("clear_hashes")
	layersFromSQL        = statement("layers_from")
	setValiditySQL       = statement("set_validity")
	validityFromSQL      = statement("validity_from")
	claimNetworkSQL      = statement("claim_network")
	networkSQL           = statement("network")
	firstAppliedBlockSQL = statement("first_applied_block")
	referencesSQL        = statement("references")
	lastBallotsSQL       = statement("last_ballots")
	upsertPreparedSQL    = statement("upsert_prepared_set")
	preparedSetSQL       = statement("prepared_set")
	insertSchedulesSQL   = statement("insert_schedules")
	schedulesSQL         = statement("schedules")
	markBuiltSQL         = statement("mark_built")
	aggregatedHashSQL    = statement("aggregated_hash")
	validOutputsSQL      = statement("valid_outputs")
)
