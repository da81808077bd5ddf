package ledger_test

import (
	"testing/fstest"

	"github.com/smeshery/smeshery/pkg/store"
)

// activationSchema has the columns of activation's tables that state reads.
var activationSchema = store.Schema{Name: "activation", Parts: []store.Part{{Name: "atxs", Files: fstest.MapFS{
	"0001_init.up.sql": {Data: []byte(`CREATE TABLE atxs (
		seq bigint GENERATED ALWAYS AS IDENTITY, id bytea PRIMARY KEY, publish_epoch bigint NOT NULL, node_id bytea NOT NULL,
		coinbase bytea NOT NULL, weight bigint NOT NULL, base_height bigint NOT NULL, tick_count bigint NOT NULL,
		vrf_nonce bigint NOT NULL, received bigint NOT NULL)`)},
}}}}
