package activation

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/keyfile"
	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	read "github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/guard"
	"github.com/smeshery/smeshery/services/activation/internal/records"
)

// ExportRecords retires an identity and returns what the guard knows of it, for
// tools that work while no service runs. db acts as activation.
func ExportRecords(ctx context.Context, db *store.DB, clock Clock, genesis [20]byte, id wire.NodeID) ([]byte, error) {
	return records.Export(ctx, db, genesis[:], id, clock.Now())
}

// ImportRecords adds a document of ExportRecords to the guard's records and ends
// the identity's retirement.
func ImportRecords(ctx context.Context, db *store.DB, genesis [20]byte, document []byte) (wire.NodeID, error) {
	doc, err := records.Parse(document, genesis[:])
	if err != nil {
		return wire.NodeID{}, err
	}
	return doc.Identity, records.Import(ctx, db, doc)
}

// QuarantineRestored keeps every identity from signing in slots that may have been
// signed in rows that a restored database lacks: all until now. It tells the last
// layer and the last epoch of an ATX that are lost to them. db acts as activation.
func QuarantineRestored(ctx context.Context, db *store.DB, params *network.Params, clock Clock, reason string) (wire.LayerID, wire.EpochID, error) {
	layer := layerclock.Clock{Genesis: params.Genesis.Time, LayerDuration: params.LayerDuration}.LayerAt(clock.Now())
	through := guard.LostUntil(layer, params.Epoch(layer))
	err := guard.Quarantine(ctx, db, nil, through, reason)
	return wire.LayerID(through[signing.SlotBallot]), wire.EpochID(through[signing.SlotATX]), err
}

func (w *working) serveIdentities(ctx context.Context) error {
	queue := bus.Queue{Length: 64, Full: actor.Refuse}
	_, e1 := bus.Serve(ctx, w.deps.Bus, bus.AddIdentity(w.cfg.Holder), queue, w.addIdentity)
	_, e2 := bus.Serve(ctx, w.deps.Bus, bus.ListIdentities(w.cfg.Holder), queue, w.listIdentities)
	_, e3 := bus.Serve(ctx, w.deps.Bus, bus.ExportIdentity(w.cfg.Holder), queue, w.exportIdentity)
	_, e4 := bus.Serve(ctx, w.deps.Bus, bus.ImportIdentity(w.cfg.Holder), queue, w.importIdentity)
	_, e5 := bus.Serve(ctx, w.deps.Bus, bus.Smeshing(w.cfg.Holder), queue, w.smeshing)
	return errors.Join(e1, e2, e3, e4, e5)
}

// smeshing sets what is asked and tells how it is. A repeat changes nothing.
func (w *working) smeshing(_ context.Context, r bus.SmeshingRequest) (bus.SmeshingReply, error) {
	if w.smesher == nil {
		if r.Smeshing != nil && *r.Smeshing {
			return bus.SmeshingReply{}, bus.Errorf(bus.BadRequest, "there is nothing that makes proofs of space")
		}
		return bus.SmeshingReply{Coinbase: w.cfg.Coinbase}, nil
	}
	if r.Coinbase != nil {
		w.smesher.SetCoinbase(*r.Coinbase)
	}
	if r.Smeshing != nil && *r.Smeshing != w.smesher.Smeshing() {
		w.smesher.SetSmeshing(*r.Smeshing)
	}
	return bus.SmeshingReply{Smeshing: w.smesher.Smeshing(), Coinbase: w.smesher.Coinbase()}, nil
}

// addIdentity takes a key file in, after making it if that is asked.
func (w *working) addIdentity(ctx context.Context, r bus.AddIdentityRequest) (bus.IdentityReply, error) {
	var reply bus.IdentityReply
	dir := w.cfg.Identities
	switch {
	case dir == "":
		return reply, bus.Errorf(bus.BadRequest, "no directory of identities is configured")
	case r.Name != filepath.Base(r.Name) || filepath.Ext(r.Name) != ".key" || r.Name == ".key":
		return reply, bus.Errorf(bus.BadRequest, "name %q is not that of a key file", r.Name)
	}
	if r.Create {
		if err := w.createKey(dir, r.Name); err != nil {
			return reply, bus.Errorf(bus.BadRequest, "%v", err)
		}
	}
	found, err := keyfile.Load(dir)
	if err != nil {
		return reply, bus.Errorf(bus.BadRequest, "%v", err)
	}
	i := slices.IndexFunc(found, func(f keyfile.Identity) bool { return f.Name == r.Name })
	if i < 0 {
		return reply, bus.Errorf(bus.BadRequest, "there is no key file %q", r.Name)
	}
	w.names.add(found[i : i+1])
	w.guard.Add(found[i].Key)
	reply.Node = found[i].Key.NodeID()
	return reply, w.share(ctx)
}

// createKey looks first whether the directory will still be accepted: a local key
// is alone.
func (w *working) createKey(dir, name string) error {
	found, err := keyfile.Load(dir)
	if err != nil && !errors.Is(err, keyfile.ErrNoKeys) {
		return err
	}
	for i := range found {
		if name == keyfile.LocalName || found[i].Name == keyfile.LocalName {
			return fmt.Errorf("%w: rename it first", keyfile.ErrMixed)
		}
	}
	var seed [32]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return err
	}
	return keyfile.Store(dir, keyfile.Identity{Name: name, Key: signing.NewKey(seed)})
}

// listIdentities reads only.
func (w *working) listIdentities(ctx context.Context, _ bus.None) (bus.IdentityListReply, error) {
	var reply bus.IdentityListReply
	steps, err := read.Steps(ctx, w.deps.DB)
	if err != nil {
		return reply, err
	}
	retired, err := read.Retired(ctx, w.deps.DB)
	if err != nil {
		return reply, err
	}
	held := w.guard.Terms()
	for _, id := range w.guard.All() {
		info := bus.IdentityInfo{Node: id, Name: w.names.of(id), Retired: slices.Contains(retired, id)}
		_, info.Held = held[id]
		if i := slices.IndexFunc(steps, func(s read.IdentityStep) bool { return s.Node == id }); i >= 0 {
			s := &steps[i]
			info.Step, info.Publish, info.Until, info.Note = string(s.Step), s.Publish, s.Until, s.Note
		}
		reply.Identities = append(reply.Identities, info)
	}
	slices.SortFunc(reply.Identities, func(a, b bus.IdentityInfo) int { return cmp.Compare(a.Name, b.Name) })
	return reply, nil
}

// exportIdentity retires it before it reads. A repeat answers the same.
func (w *working) exportIdentity(ctx context.Context, r bus.ExportIdentityRequest) (bus.IdentityDocument, error) {
	id := w.cfg.Network.Genesis.ID()
	doc, err := records.Export(ctx, w.deps.DB, id[:], r.Node, w.deps.Clock.Now())
	if err != nil {
		return bus.IdentityDocument{}, err
	}
	return bus.IdentityDocument{Document: doc}, w.share(ctx)
}

// importIdentity adds records. A repeat changes nothing.
func (w *working) importIdentity(ctx context.Context, d bus.IdentityDocument) (bus.IdentityReply, error) {
	node, err := ImportRecords(ctx, w.deps.DB, w.cfg.Network.Genesis.ID(), d.Document)
	if errors.Is(err, records.ErrDocument) || errors.Is(err, records.ErrNetwork) {
		return bus.IdentityReply{}, bus.Errorf(bus.BadRequest, "%v", err)
	}
	if err != nil {
		return bus.IdentityReply{}, err
	}
	return bus.IdentityReply{Node: node}, w.share(ctx)
}
