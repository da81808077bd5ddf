package intake

import (
	"slices"
	"time"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
)

// tell makes events of what is being stored: ATXs that count now or later, fresh
// malicious identities, and our own among those. Nobody is told of the ATXs that
// fill up history.
func (in *Intake) tell(changes *db.Changes, fresh []wire.NodeID, current wire.EpochID) ([]bus.Outgoing, error) {
	var out []bus.Outgoing
	add := func(at int64, id string, body events.Body) error {
		m, err := events.New(bus.ActivationService, time.Unix(0, at), id, body)
		out = append(out, m)
		return err
	}
	for i := range changes.ATXs {
		if row := changes.ATXs[i].Row; row.TargetEpoch() >= current {
			if err := add(row.Received, row.ID.String(), &events.ActivationStored{ID: row.ID}); err != nil {
				return nil, err
			}
		}
	}
	for _, id := range fresh {
		at := changes.Malicious[slices.IndexFunc(changes.Malicious, func(m db.Malicious) bool { return m.Node == id })].Received
		if err := add(at, id.String(), &events.MalfeasanceStored{Node: id}); err != nil {
			return nil, err
		}
		if in.own(id) {
			if err := add(at, id.String(), &events.OwnMalfeasance{Node: id}); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
