package checkpoint_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/checkpoint"
	"github.com/smeshery/smeshery/pkg/wire"
)

// honest marks nobody.
func honest(wire.NodeID) bool { return false }

// source is a small database: one marriage ATX that is also its identity's
// newest, which makes the network's software write it twice.
func source() checkpoint.Source {
	atx := checkpoint.ATX{
		ID: id(1), PublishEpoch: 3, Commitment: id(9), Marriage: id(1), TickCount: 7, NumUnits: 4,
		Smesher: wire.NodeID{1}, Units: map[wire.NodeID]uint32{{1}: 4},
	}
	return checkpoint.Source{
		ATXs: seq([]checkpoint.ATX{atx}), Malicious: honest,
		Versions:  seq([]wire.Account{{Address: wire.Address{1}, Layer: 2, Balance: 5}, {Address: wire.Address{1}, Layer: 9}}),
		Marriages: []checkpoint.Marriage{{ID: 1, ATX: id(1), Smesher: wire.NodeID{1}, MarriedTo: wire.NodeID{1}}},
	}
}

func write(t require.TestingT, s checkpoint.Source) []byte {
	var out bytes.Buffer
	require.NoError(t, checkpoint.Write(&out, 5, 2, s))
	return out.Bytes()
}

func TestMarriageATXIsWrittenOnce(t *testing.T) {
	raw := write(t, source())
	require.Equal(t, 1, bytes.Count(raw, []byte(`"commitmentAtx"`)))
	got, err := checkpoint.Read(raw, 24)
	require.NoError(t, err)
	require.Equal(t, id(1), got.ATXs[0].Marriage)
	require.Equal(t, uint64(28), got.ATXs[0].Weight())
	require.Equal(t, []wire.Account{{Layer: 23, Address: wire.Address{1}, Balance: 5}}, got.Accounts)
}

// The duplicate of a marriage ATX in a file of the network's software differs in
// nothing but its reference to itself; the first one counts.
func TestReadToleratesTheKnownDuplicate(t *testing.T) {
	raw := string(write(t, source()))
	start := strings.Index(raw, `"atxs":[`) + len(`"atxs":[`)
	end := strings.Index(raw, `],"accounts"`)
	atx := raw[start:end]
	marriage := atx[strings.Index(atx, `"marriageAtx"`):strings.Index(atx, `,"vrfNonce"`)]
	without := strings.Replace(atx, marriage, `"marriageAtx":null`, 1)
	got, err := checkpoint.Read([]byte(raw[:end]+","+without+raw[end:]), 24)
	require.NoError(t, err)
	require.Len(t, got.ATXs, 1)
	require.Equal(t, id(1), got.ATXs[0].Marriage)

	other := strings.Replace(without, `"tickCount":7`, `"tickCount":8`, 1)
	_, err = checkpoint.Read([]byte(raw[:end]+","+other+raw[end:]), 24)
	require.ErrorIs(t, err, checkpoint.ErrStore)
	_, err = checkpoint.Read([]byte(raw[:end]+","+atx+raw[end:]), 24)
	require.ErrorIs(t, err, checkpoint.ErrSchema, "equal items are against the schema")
}

// Byte strings of a marriage that are too short crash the network's software.
func TestReadRefusesShortMarriages(t *testing.T) {
	raw := string(write(t, source()))
	for _, name := range []string{`"atx":"`, `"signature":"`} {
		start := strings.LastIndex(raw, name) + len(name)
		end := start + strings.Index(raw[start:], `"`)
		_, err := checkpoint.Read([]byte(raw[:start]+"AAAA"+raw[end:]), 24)
		require.ErrorIs(t, err, checkpoint.ErrJSON)
	}
}

func TestReadRefusesTwoMarriagesOfOneIdentity(t *testing.T) {
	s := source()
	s.Marriages = append(s.Marriages, s.Marriages[0])
	s.Marriages[1].ID = 2
	_, err := checkpoint.Read(write(t, s), 24)
	require.ErrorIs(t, err, checkpoint.ErrStore)
}

func TestWriteReportsTheDatabase(t *testing.T) {
	s := source()
	s.ATXs = func(yield func(checkpoint.ATX, error) bool) { yield(checkpoint.ATX{}, errNotStored) }
	require.ErrorIs(t, checkpoint.Write(io.Discard, 5, 2, s), errNotStored)
	s = source()
	s.Versions = func(yield func(wire.Account, error) bool) { yield(wire.Account{}, errNotStored) }
	require.ErrorIs(t, checkpoint.Write(io.Discard, 5, 2, s), errNotStored)
	s = source()
	s.Marriages[0].ATX = id(200)
	require.ErrorIs(t, checkpoint.Write(io.Discard, 5, 2, s), checkpoint.ErrNoMarriage)
	require.ErrorIs(t, checkpoint.Write(fullDisk{}, 5, 2, source()), errDiskFull)
}

var errDiskFull = errors.New("disk full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errDiskFull }

// What is written is what is read.
func TestFileRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var atxs []checkpoint.ATX
		var versions, accounts []wire.Account
		for i := range byte(rapid.IntRange(1, 9).Draw(t, "n")) {
			smesher := wire.NodeID{i}
			number := rapid.Uint64()
			atxs = append(atxs, checkpoint.ATX{
				ID: id(i + 1), PublishEpoch: wire.EpochID(rapid.Uint32().Draw(t, "epoch")), Commitment: id(99),
				VRFNonce: number.Draw(t, "nonce"), BaseTickHeight: number.Draw(t, "base"), TickCount: number.Draw(t, "ticks"),
				Smesher: smesher, Sequence: number.Draw(t, "sequence"), Coinbase: wire.Address{i}, NumUnits: rapid.Uint32().Draw(t, "units"),
				Units: map[wire.NodeID]uint32{smesher: rapid.Uint32().Draw(t, "own")},
			})
			account := wire.Account{Address: wire.Address{i}, Balance: number.Draw(t, "balance"), NextNonce: number.Draw(t, "next")}
			if rapid.Bool().Draw(t, "spawned") {
				account.TemplateAddress = &wire.Address{23: 1}
				account.State = rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "state")
			}
			versions = append(versions, account)
			account.Layer = 23
			accounts = append(accounts, account)
		}
		raw := write(t, checkpoint.Source{ATXs: seq(atxs), Versions: seq(versions), Malicious: honest})
		got, err := checkpoint.Read(raw, 24)
		require.NoError(t, err)
		require.Equal(t, &checkpoint.Snapshot{Accounts: accounts, ATXs: atxs}, got)
	})
}

func FuzzRead(f *testing.F) {
	var file vectors.File
	vectors.Load(f, "txs/checkpoint_read", &file)
	for _, raw := range file.Cases {
		var c struct {
			File string `json:"file"`
		}
		if err := json.Unmarshal(raw, &c); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(c.File))
	}
	f.Add(write(f, source()))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := checkpoint.Read(raw, 24)
		if err != nil {
			if readClass(err) == "" {
				t.Fatal(err)
			}
			return
		}
		seen := map[string]bool{}
		for _, a := range got.Accounts {
			key := fmt.Sprint("account", a.Address)
			if seen[key] || a.Layer != 23 {
				t.Fatal(key)
			}
			seen[key] = true
		}
		for _, a := range got.ATXs {
			key := fmt.Sprint("atx", a.ID)
			if seen[key] {
				t.Fatal(key)
			}
			seen[key] = true
		}
	})
}

func BenchmarkRead(b *testing.B) {
	const n = 10_000
	atxs := make([]checkpoint.ATX, n)
	accounts := make([]wire.Account, n)
	for i := range atxs {
		atxs[i] = checkpoint.ATX{
			ID: wire.ATXID(wire.Sum([]byte{byte(i), byte(i >> 8)})), Commitment: id(9), Units: map[wire.NodeID]uint32{{1}: 4},
			Smesher: wire.NodeID{byte(i >> 8), byte(i)},
		}
		accounts[i] = wire.Account{Address: wire.Address{byte(i >> 8), byte(i)}, Balance: 1 << 50}
	}
	raw := write(b, checkpoint.Source{ATXs: seq(atxs), Versions: seq(accounts), Malicious: honest})
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := checkpoint.Read(raw, 24); err != nil {
			b.Fatal(err)
		}
	}
}
