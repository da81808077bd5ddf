package guard

import (
	"context"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Through tells, for each kind of slot that is guarded, the last epoch or layer
// that may have been signed.
type Through map[signing.SlotKind]uint32

// LostUntil is what rows may cover that were written until the given layer and
// epoch and then lost. Clocks may have run ahead by a layer; ATXs and the beacon
// are signed for the next epoch; a marriage is once for ever.
func LostUntil(layer wire.LayerID, epoch wire.EpochID) Through {
	t := Through{}
	for _, kind := range signing.Kinds() {
		if rule, _ := signing.RuleOf(kind); !rule.Guarded {
			continue
		}
		switch kind {
		case signing.SlotATX, signing.SlotBeaconFirst, signing.SlotBeaconFollowup:
			t[kind] = uint32(epoch) + 1
		case signing.SlotProposal, signing.SlotBallot, signing.SlotHare, signing.SlotCertify:
			t[kind] = uint32(layer) + 1
		default:
			t[kind] = math.MaxUint32
		}
	}
	return t
}

// Quarantine keeps an identity, or every identity if id is nil, from signing
// slots up to through. It only grows. After it returns no signature for such a
// slot is made. Whoever restores a database calls it before any service runs, as
// does whoever brings an identity here that signed elsewhere.
func Quarantine(ctx context.Context, db store.Beginner, id *wire.NodeID, through Through, reason string) error {
	node := []byte{}
	if id != nil {
		node = id[:]
	}
	var kinds []int16
	var majors []int64
	for _, kind := range signing.Kinds() {
		if major, ok := through[kind]; ok {
			kinds, majors = append(kinds, int16(kind)), append(majors, int64(major))
		}
	}
	err := exclusively(ctx, db, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, text("quarantine"), node, kinds, majors, reason)
		return err
	})
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return nil
}
