package checkpoint

import (
	"encoding"
	"encoding/base64"
	"fmt"

	"github.com/smeshery/smeshery/pkg/wire"
)

// The file's JSON (spec 07 §11.1). Byte strings are base64.
type (
	fileJSON struct {
		Command string   `json:"command"`
		Version string   `json:"version"`
		Data    dataJSON `json:"data"`
	}
	dataJSON struct {
		ID        string                   `json:"id"`
		ATXs      []atxJSON                `json:"atxs"`
		Accounts  []accountJSON            `json:"accounts"`
		Marriages map[int64][]marriageJSON `json:"marriages"`
	}
	atxJSON struct {
		ID             []byte             `json:"id"`
		Epoch          uint32             `json:"epoch"`
		CommitmentATX  []byte             `json:"commitmentAtx"`
		MarriageATX    []byte             `json:"marriageAtx"`
		VRFNonce       uint64             `json:"vrfNonce"`
		BaseTickHeight uint64             `json:"baseTickHeight"`
		TickCount      uint64             `json:"tickCount"`
		PublicKey      []byte             `json:"publicKey"`
		Sequence       uint64             `json:"sequence"`
		Coinbase       []byte             `json:"coinbase"`
		NumUnits       uint32             `json:"numUnits"`
		Units          map[nodeKey]uint32 `json:"units"`
	}
	accountJSON struct {
		Address  []byte `json:"address"`
		Balance  uint64 `json:"balance"`
		Nonce    uint64 `json:"nonce"`
		Template []byte `json:"template"`
		State    []byte `json:"state"`
	}
	marriageJSON struct {
		ATX       []byte `json:"atx"`
		Index     int    `json:"index"`
		MarriedTo []byte `json:"marriedTo"`
		Signer    []byte `json:"signer"`
		Signature []byte `json:"signature"`
	}
)

// nodeKey is an identity as the name of a member.
type nodeKey wire.NodeID

var (
	_ encoding.TextMarshaler   = nodeKey{}
	_ encoding.TextUnmarshaler = (*nodeKey)(nil)
)

// MarshalText is base64.
func (k nodeKey) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, k[:]), nil
}

// UnmarshalText accepts exactly 32 bytes.
func (k *nodeKey) UnmarshalText(text []byte) error {
	raw, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		return err
	}
	if len(raw) != len(k) {
		return fmt.Errorf("identity of %d bytes", len(raw))
	}
	*k = nodeKey(raw)
	return nil
}

// node cuts a longer key and pads a shorter one.
func node(raw []byte) wire.NodeID { return wire.LeftAligned32(raw) }

// restored translates a row. Ids that are too long or too short keep their end,
// other fields their start (spec 07 §11.2).
func (a *atxJSON) restored() ATX {
	out := ATX{
		ID:             wire.ATXID(wire.RightAligned32(a.ID)),
		PublishEpoch:   wire.EpochID(a.Epoch),
		Commitment:     wire.ATXID(wire.RightAligned32(a.CommitmentATX)),
		VRFNonce:       a.VRFNonce,
		BaseTickHeight: a.BaseTickHeight,
		TickCount:      a.TickCount,
		Smesher:        node(a.PublicKey),
		Sequence:       a.Sequence,
		NumUnits:       a.NumUnits,
		Units:          make(map[wire.NodeID]uint32, len(a.Units)),
	}
	copy(out.Coinbase[:], a.Coinbase)
	if len(a.MarriageATX) == len(out.Marriage) {
		out.Marriage = wire.ATXID(a.MarriageATX)
	}
	for id, units := range a.Units {
		out.Units[wire.NodeID(id)] = units
	}
	return out
}

// written is the opposite of restored.
func (a *ATX) written() atxJSON {
	out := atxJSON{
		ID: a.ID[:], Epoch: uint32(a.PublishEpoch), CommitmentATX: a.Commitment[:],
		VRFNonce: a.VRFNonce, BaseTickHeight: a.BaseTickHeight, TickCount: a.TickCount,
		PublicKey: a.Smesher[:], Sequence: a.Sequence, Coinbase: a.Coinbase[:], NumUnits: a.NumUnits,
		Units: make(map[nodeKey]uint32, len(a.Units)),
	}
	if !wire.IsZero(a.Marriage) {
		out.MarriageATX = a.Marriage[:]
	}
	for id, units := range a.Units {
		out.Units[nodeKey(id)] = units
	}
	return out
}

func (a *accountJSON) restored(layer wire.LayerID) wire.Account {
	out := wire.Account{Layer: layer, Balance: a.Balance, NextNonce: a.Nonce}
	copy(out.Address[:], a.Address)
	if len(a.Template) == 0 {
		return out // what is not spawned has no state
	}
	out.TemplateAddress = new(wire.Address)
	copy(out.TemplateAddress[:], a.Template)
	if len(a.State) > 0 {
		out.State = a.State
	}
	return out
}

func writtenAccount(a *wire.Account) accountJSON {
	out := accountJSON{Address: a.Address[:], Balance: a.Balance, Nonce: a.NextNonce}
	if a.TemplateAddress != nil {
		out.Template = a.TemplateAddress[:]
		out.State = a.State
	}
	return out
}
