package proposal

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Slots is how many slots an ATX of the given weight has in an epoch (spec 06
// §4.1). Products wrap and the result is cut to 32 bits, as the network does.
func Slots(weight, minWeight, totalWeight uint64, layerSize, layersPerEpoch uint32) (uint32, error) {
	if totalWeight == 0 {
		return 0, ErrZeroTotalWeight
	}
	n := weight * uint64(layerSize) * uint64(layersPerEpoch) / max(minWeight, totalWeight)
	return uint32(max(n, 1)), nil
}

// EpochWeight is a weight that counts from an epoch on.
type EpochWeight struct {
	Epoch  wire.EpochID
	Weight uint64
}

// MinWeight chooses the entry of the largest epoch not above the given one; of
// equal epochs the last (spec 06 §4.1). The list is ascending.
func MinWeight(list []EpochWeight, epoch wire.EpochID) (weight uint64) {
	for _, w := range list {
		if w.Epoch <= epoch {
			weight = w.Weight
		}
	}
	return weight
}

// EligibleLayer is the layer that a proof's slot falls in (spec 06 §4.2).
func EligibleLayer(proof *wire.VrfSignature, epoch wire.EpochID, layersPerEpoch uint32) wire.LayerID {
	draw := binary.LittleEndian.Uint64(proof[:8])
	return epoch.FirstLayer(layersPerEpoch) + wire.LayerID(draw%uint64(layersPerEpoch))
}

// SlotMessage is the VRF input of slot j.
func SlotMessage(beacon wire.Beacon, epoch wire.EpochID, nonce uint64, j uint32) []byte {
	m := vrf.VotingMessage{Beacon: beacon, Epoch: epoch, Nonce: nonce, Counter: j}
	return m.Bytes()
}

// Schedule maps layers to the proofs of the slots that fall in them, ascending
// in J (spec 06 §4.2). proofs[j] proves slot j.
func Schedule(proofs []wire.VrfSignature, epoch wire.EpochID, layersPerEpoch uint32) map[wire.LayerID][]wire.VotingEligibility {
	schedule := make(map[wire.LayerID][]wire.VotingEligibility)
	for j := range proofs {
		layer := EligibleLayer(&proofs[j], epoch, layersPerEpoch)
		schedule[layer] = append(schedule[layer], wire.VotingEligibility{J: uint32(j), Sig: proofs[j]})
	}
	for _, slots := range schedule {
		slices.SortFunc(slots, func(a, b wire.VotingEligibility) int { return cmp.Compare(a.J, b.J) })
	}
	return schedule
}
