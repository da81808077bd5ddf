package sourcetest

import (
	"context"
	"database/sql"
	"encoding/binary"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/pkg/wire"
)

// schema is that of a go-spacemesh node, as far as a replay reads it.
const schema = `
CREATE TABLE layers (id INT PRIMARY KEY DESC, weak_coin SMALL INT, processed SMALL INT, applied_block VARCHAR, state_hash CHAR(32), aggregated_hash CHAR(32)) WITHOUT ROWID;
CREATE TABLE ballots (id CHAR(20) PRIMARY KEY, atx CHAR(32) NOT NULL, layer INT NOT NULL, pubkey VARCHAR, ballot BLOB) WITHOUT ROWID;
CREATE TABLE blocks (id CHAR(20) PRIMARY KEY, layer INT NOT NULL, validity SMALL INT, block BLOB) WITHOUT ROWID;
CREATE TABLE certificates (layer INT NOT NULL, block VARCHAR NOT NULL, cert BLOB, valid bool NOT NULL, PRIMARY KEY (layer, block));
CREATE TABLE activesets (id CHAR(32) PRIMARY KEY, epoch INT, active_set BLOB NOT NULL);
CREATE TABLE beacons (epoch INT NOT NULL PRIMARY KEY, beacon CHAR(4)) WITHOUT ROWID;
CREATE TABLE atxs (id CHAR(32) PRIMARY KEY, epoch INT NOT NULL, effective_num_units INT NOT NULL, commitment_atx CHAR(32), nonce UNSIGNED LONG INT, pubkey CHAR(32), received INT NOT NULL, base_tick_height UNSIGNED LONG INT, tick_count UNSIGNED LONG INT, sequence UNSIGNED LONG INT, coinbase CHAR(24), validity INT DEFAULT FALSE, weight UNSIGNED LONG INT, marriage_atx CHAR(32));
CREATE TABLE atx_blobs (id CHAR(32) NOT NULL PRIMARY KEY, atx BLOB, version INTEGER DEFAULT 1);
CREATE TABLE poets (ref VARCHAR PRIMARY KEY, poet BLOB, service_id VARCHAR, round_id VARCHAR);
CREATE TABLE transactions (id CHAR(32) PRIMARY KEY, tx BLOB, header BLOB, result BLOB, layer INT, block CHAR(20), principal CHAR(24), nonce BLOB, timestamp INT NOT NULL) WITHOUT ROWID;
CREATE TABLE accounts (address CHAR(24), balance UNSIGNED LONG INT, next_nonce UNSIGNED LONG INT, layer_updated UNSIGNED LONG INT, template CHAR(24), state BLOB, PRIMARY KEY (address, layer_updated DESC));
CREATE TABLE rewards (pubkey CHAR(32), coinbase CHAR(24) NOT NULL, layer INT NOT NULL, total_reward UNSIGNED LONG INT, layer_reward UNSIGNED LONG INT, PRIMARY KEY (pubkey, layer));
CREATE TABLE identities (pubkey VARCHAR PRIMARY KEY, proof BLOB, received INT DEFAULT 0 NOT NULL) WITHOUT ROWID;
CREATE TABLE marriages (id INT, pubkey CHAR(32) PRIMARY KEY, marriage_atx CHAR(32), marriage_idx INTEGER, marriage_target CHAR(32), marriage_sig CHAR(64));
CREATE TABLE recovery (id UNSIGNED INT PRIMARY KEY, restore INT NOT NULL);
`

// WriteDatabase makes a state.sql that holds what a source does.
func WriteDatabase(t testing.TB, path string, src source.Source) {
	t.Helper()
	ctx := context.Background()
	db, err := sql.Open("sqlite", "file:"+path)
	require.NoError(t, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"+schema)
	require.NoError(t, err)
	tx, err := db.BeginTx(ctx, nil)
	require.NoError(t, err)
	w := writer{t, tx}
	w.objects(ctx, src)
	w.results(ctx, src)
	require.NoError(t, tx.Commit())
}

type writer struct {
	t  testing.TB
	tx *sql.Tx
}

func (w writer) exec(query string, args ...any) {
	w.t.Helper()
	_, err := w.tx.ExecContext(context.Background(), query, args...)
	require.NoError(w.t, err, query)
}

// each gives every row of a source to f.
func each[T any](w writer, rows iter.Seq2[T, error], f func(T)) {
	w.t.Helper()
	for row, err := range rows {
		require.NoError(w.t, err)
		f(row)
	}
}

func (w writer) objects(ctx context.Context, src source.Source) {
	each(w, src.PoetProofs(ctx), func(p source.PoetProof) {
		w.exec("INSERT INTO poets VALUES (?, ?, ?, ?)", p.Ref[:], p.Blob, p.ServiceID, p.RoundID)
	})
	each(w, src.ATXs(ctx), func(a source.ATX) {
		w.exec("INSERT INTO atxs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", a.ID[:], a.PublishEpoch, a.Units, bytes32(a.Commitment),
			int64(a.VRFNonce), a.NodeID[:], a.Received.UnixNano(), int64(a.BaseHeight), int64(a.Ticks), int64(a.Sequence), a.Coinbase[:],
			a.Validity, int64(a.Weight), bytes32(a.Marriage))
		w.exec("INSERT INTO atx_blobs VALUES (?, ?, ?)", a.ID[:], a.Blob, a.Version)
	})
	each(w, src.ActiveSets(ctx), func(s source.ActiveSet) {
		w.exec("INSERT INTO activesets VALUES (?, ?, ?)", s.ID[:], s.Epoch, s.Blob)
	})
	each(w, src.Ballots(ctx), func(b source.Ballot) {
		w.exec("INSERT INTO ballots VALUES (?, ?, ?, ?, ?)", b.ID[:], b.ATX[:], b.Layer, b.NodeID[:], b.Blob)
	})
	each(w, src.Blocks(ctx), func(b source.Block) {
		var validity any
		if b.Validity != nil {
			validity = map[bool]int{true: 1, false: -1}[*b.Validity]
		}
		w.exec("INSERT INTO blocks VALUES (?, ?, ?, ?)", b.ID[:], b.Layer, validity, b.Blob)
	})
	each(w, src.Transactions(ctx), func(s source.Transaction) {
		var layer, block, principal, nonce any
		if s.Layer != nil {
			layer, block = int64(*s.Layer), s.Block[:]
		}
		if s.Principal != nil {
			principal, nonce = s.Principal[:], binary.BigEndian.AppendUint64(nil, *s.Nonce)
		}
		w.exec("INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)", s.ID[:], s.Raw, s.Header, s.Result, layer, block, principal, nonce)
	})
	each(w, src.Identities(ctx), func(i source.Identity) {
		w.exec("INSERT INTO identities VALUES (?, ?, ?)", i.NodeID[:], i.Proof, i.Received.UnixNano())
	})
	each(w, src.Marriages(ctx), func(m source.Marriage) {
		w.exec("INSERT INTO marriages (pubkey, marriage_atx) VALUES (?, ?)", m.NodeID[:], m.ATX[:])
	})
}

func (w writer) results(ctx context.Context, src source.Source) {
	each(w, src.Beacons(ctx), func(b source.Beacon) { w.exec("INSERT INTO beacons VALUES (?, ?)", b.Epoch, b.Beacon[:]) })
	each(w, src.Certificates(ctx), func(c source.Certificate) {
		w.exec("INSERT INTO certificates VALUES (?, ?, ?, ?)", c.Layer, c.Block[:], c.Blob, c.Valid)
	})
	each(w, src.Layers(ctx), func(l source.Layer) {
		var applied any
		if l.Applied != nil {
			applied = l.Applied[:]
		}
		w.exec("INSERT INTO layers VALUES (?, ?, ?, ?, ?, ?)", l.Layer, l.WeakCoin, l.Processed, applied, bytes32(l.Root), bytes32(l.Aggregated))
	})
	each(w, src.Accounts(ctx), func(a source.Account) {
		var template any
		if a.Template != nil {
			template = a.Template[:]
		}
		w.exec("INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?)", a.Address[:], int64(a.Balance), int64(a.NextNonce), a.Layer, template, a.State)
	})
	each(w, src.Rewards(ctx), func(r source.Reward) {
		w.exec("INSERT INTO rewards VALUES (?, ?, ?, ?, ?)", r.NodeID[:], r.Coinbase[:], r.Layer, int64(r.Total), int64(r.LayerReward))
	})
}

func bytes32[T wire.ATXID | wire.Hash32](id *T) any {
	if id == nil {
		return nil
	}
	b := [32]byte(*id)
	return b[:]
}

// Exec changes a database that WriteDatabase made.
func Exec(t testing.TB, path, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(context.Background(), statements)
	require.NoError(t, err)
}
