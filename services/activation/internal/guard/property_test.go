package guard

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
)

func bodyOf(c codec.Coded) []byte { return codec.MustEncode(c) }

// universe is what the network sees of our identities: signatures that left a
// guard, whichever process it ran in.
type universe struct {
	admin, db *store.DB
	layer     wire.LayerID
	epoch     wire.EpochID
	owners    []*terms
	guards    []*Guard
	crash     []step // the next crash of each guard, if crashes is set
	crashes   []bool
	backup    []slotRow

	mu   sync.Mutex
	seen map[place]map[wire.Hash32]bool
}

type place struct {
	id   wire.NodeID
	slot signing.Slot
}

type slotRow struct {
	node               []byte
	kind               int16
	major, minor, term int64
	hash               []byte
}

var errCrash = errors.New("the process died")

func newUniverse(t *rapid.T, admin, database *store.DB) *universe {
	_, err := admin.Exec(context.Background(), "SET session_replication_role = replica; SET search_path = activation; "+
		"TRUNCATE quarantine, audit; DELETE FROM signed_slots; DELETE FROM lease")
	require.NoError(t, err)
	u := &universe{admin: admin, db: database, layer: 100, epoch: 10, seen: make(map[place]map[wire.Hash32]bool)}
	for range 3 {
		h := new(terms)
		g := newGuard(t, database, h)
		at := len(u.guards)
		g.step = func(s step) error {
			if u.crashes[at] && u.crash[at] == s {
				return errCrash
			}
			return nil
		}
		u.owners, u.guards = append(u.owners, h), append(u.guards, g)
		u.crash, u.crashes = append(u.crash, 0), append(u.crashes, false)
	}
	return u
}

// request is one of few messages for a slot near the present.
func (u *universe) request(t *rapid.T) Item {
	what := rapid.Byte().Draw(t, "what") % 3
	layer := u.layer - wire.LayerID(rapid.Uint32Max(2).Draw(t, "layers ago"))
	epoch := u.epoch + 1 - wire.EpochID(rapid.Uint32Max(2).Draw(t, "epochs ago"))
	var r signing.Request
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		a := atxOf(epoch)
		a.NumUnits = uint32(what)
		r = signing.SignATXv1{ATX: a}
	case 1:
		a := &wire.ActivationTxV2{PublishEpoch: epoch, VRFNonce: uint64(what)}
		r = signing.SignATXv2{ATX: a}
	case 2:
		r = signing.SignHare{Meta: wire.HareMetadata{Layer: layer, Round: uint32(what % 2), MsgHash: wire.Hash32{what}}}
	case 3:
		r = signing.SignMarriage{Publisher: wire.NodeID{what}}
	case 4:
		r = signing.SignBeaconFollowup{Body: wire.FollowingVotingMessageBody{EpochID: epoch, RoundID: uint32(what % 2), VotesBitVector: []byte{what}}}
	default:
		r = ballot(layer, what)
	}
	return Item{rapid.SampledFrom(ids).Draw(t, "identity").NodeID(), r}
}

// sign has one process sign a batch, and shows the network what came of it.
func (u *universe) sign(t require.TestingT, guard int, items []Item) {
	vs, err := u.guards[guard].Sign(context.Background(), items)
	if err != nil {
		require.ErrorIs(t, err, errCrash)
		return
	}
	require.Len(t, vs, len(items))
	u.mu.Lock()
	defer u.mu.Unlock()
	for i, v := range vs {
		require.NotEqual(t, Unknown, v.Outcome)
		if v.Outcome != Signed {
			require.Zero(t, v.Signature)
			continue
		}
		require.NotZero(t, v.Signature)
		hash, err := signing.SigningHash(prefix, items[i].Request)
		require.NoError(t, err)
		p := place{items[i].NodeID, items[i].Request.Slot()}
		if u.seen[p] == nil {
			u.seen[p] = make(map[wire.Hash32]bool)
		}
		u.seen[p][hash] = true
		require.Len(t, u.seen[p], 1, "two messages of %v for %v", p.id, p.slot)
	}
}

func (u *universe) batch(t *rapid.T) []Item {
	items := make([]Item, rapid.IntRange(1, 8).Draw(t, "batch"))
	for i := range items {
		items[i] = u.request(t)
	}
	return items
}

func (u *universe) takeBackup(t *rapid.T) {
	rows, err := u.db.Query(context.Background(), "SELECT node_id, kind, major, minor, term, hash FROM signed_slots")
	require.NoError(t, err)
	u.backup, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r slotRow, err error) {
		return r, row.Scan(&r.node, &r.kind, &r.major, &r.minor, &r.term, &r.hash)
	})
	require.NoError(t, err)
}

// restore brings the rows of the backup back, and does what whoever restores
// has to do.
func (u *universe) restore(t *rapid.T) {
	ctx := context.Background()
	require.NoError(t, store.InTx(ctx, u.admin, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL session_replication_role = replica; SET LOCAL search_path = activation; DELETE FROM signed_slots"); err != nil {
			return err
		}
		for _, r := range u.backup {
			if _, err := tx.Exec(ctx, "INSERT INTO signed_slots (node_id, kind, major, minor, term, hash) VALUES ($1, $2, $3, $4, $5, $6)",
				r.node, r.kind, r.major, r.minor, r.term, r.hash); err != nil {
				return err
			}
		}
		return nil
	}))
	require.NoError(t, Quarantine(ctx, u.db, nil, LostUntil(u.layer, u.epoch), "restored"))
}

// Whatever owners believe, wherever they die and whatever is restored, the
// network never sees two messages for one slot.
func TestNeverTwoMessagesForOneSlot(t *testing.T) {
	url := storetest.URL(t, schema)
	admin, database := storetest.Open(t, url, ""), storetest.Open(t, url, "activation")
	rapid.Check(t, func(t *rapid.T) {
		u := newUniverse(t, admin, database)
		for _, k := range ids {
			acquire(t, database, u.owners[0], k.NodeID())
		}
		t.Repeat(map[string]func(*rapid.T){
			"acquire": func(t *rapid.T) {
				owner := rapid.SampledFrom(u.owners).Draw(t, "owner")
				acquire(t, u.db, owner, rapid.SampledFrom(ids).Draw(t, "identity").NodeID())
			},
			"sign": func(t *rapid.T) {
				u.sign(t, rapid.IntRange(0, 2).Draw(t, "guard"), u.batch(t))
			},
			"sign at once": func(t *rapid.T) {
				batches := [][]Item{u.batch(t), u.batch(t), u.batch(t)}
				var wg sync.WaitGroup
				var fails failures
				for guard, items := range batches {
					wg.Go(func() { fails.catch(func() { u.sign(&fails, guard, items) }) })
				}
				wg.Wait()
				require.Empty(t, fails.list)
			},
			"crash and ask again": func(t *rapid.T) {
				guard, items := rapid.IntRange(0, 2).Draw(t, "guard"), u.batch(t)
				u.crash[guard] = step(rapid.IntRange(0, 2).Draw(t, "step"))
				u.crashes[guard] = true
				u.sign(t, guard, items)
				u.crashes[guard] = false
				u.sign(t, guard, items)
			},
			"time passes": func(t *rapid.T) {
				u.layer++
				if u.layer%10 == 0 {
					u.epoch++
				}
			},
			"backup":  u.takeBackup,
			"restore": u.restore,
		})
	})
}

// failures collects what goes wrong in goroutines.
type failures struct {
	mu   sync.Mutex
	list []string
}

func (f *failures) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, format)
}

type gaveUp struct{}

func (f *failures) FailNow() { panic(gaveUp{}) }

func (f *failures) catch(do func()) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(gaveUp); !ok {
				panic(p)
			}
		}
	}()
	do()
}
