package consensus

import (
	"context"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/wire"
)

// processing sees to it that every layer is processed: hare's outputs bring their
// own layers, and this the rest, once hare is done with a layer or zdist layers have
// passed (spec 06 §14).
func (t *tenure) processing(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.due:
		}
		if err := t.process(ctx); err != nil && ctx.Err() == nil {
			t.metrics.duties.failed.WithLabelValues("processing").Inc()
			t.deps.Log.Warn("layers are not processed", "err", err)
		}
	}
}

func (t *tenure) process(ctx context.Context) error {
	if !t.synced.Load() {
		return nil // syncing processes what it brings
	}
	st := t.engine.Status()
	if t.engine.Behind() && st.Processed > t.cfg.Network.FirstEffectiveGenesis() {
		if err := t.processOne(ctx, st.Processed); err != nil {
			return err
		}
	}
	for {
		st := t.engine.Status()
		layer := st.Processed + 1
		if layer >= st.Current || t.charges.Hold(layer) && uint32(st.Current-layer) < t.cfg.Network.Tortoise.Zdist {
			return nil
		}
		if err := t.processOne(ctx, layer); err != nil {
			return err
		}
	}
}

// processOne processes a layer, fetches blocks that are missing, and processes it
// again if any came.
func (t *tenure) processOne(ctx context.Context, layer wire.LayerID) error {
	reply, err := t.engine.Process(ctx, layer)
	if err != nil || len(reply.Missing) == 0 {
		return err
	}
	request := bus.FetchRequest{}
	for _, id := range reply.Missing {
		request.Hashes = append(request.Hashes, wire.Pad32(id))
	}
	t.deps.Log.Info("blocks are missing", "layer", layer, "count", len(reply.Missing))
	fetched, err := bus.Fetch(bus.KindBlock).Call(ctx, t.deps.Bus, request)
	if err != nil {
		t.deps.Log.Warn("blocks were not fetched", "layer", layer, "err", err)
		return nil // with the next layer they are asked for again
	}
	for _, outcome := range fetched.Outcomes {
		if outcome == bus.FetchStored {
			_, err := t.engine.Process(ctx, layer)
			return err
		}
	}
	return nil
}
