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
		Name       base64Bytes        `json:"id"`
		Published  uint32             `json:"epoch"`
		Committed  base64Bytes        `json:"commitmentAtx"`
		Marriage   base64Bytes        `json:"marriageAtx"`
		Proof      uint64             `json:"vrfNonce"`
		StartTick  uint64             `json:"baseTickHeight"`
		Ticks      uint64             `json:"tickCount"`
		Signer     base64Bytes        `json:"publicKey"`
		Serial     uint64             `json:"sequence"`
		PaidTo     base64Bytes        `json:"coinbase"`
		TotalUnits uint32             `json:"numUnits"`
		Shares     map[nodeKey]uint32 `json:"units"`
	}
	accountJSON struct {
		Owner     base64Bytes `json:"address"`
		Coins     uint64      `json:"balance"`
		NextNonce uint64      `json:"nonce"`
		Kind      base64Bytes `json:"template"`
		Storage   base64Bytes `json:"state"`
	}
	marriageJSON struct {
		ATX       base64Bytes `json:"atx"`
		Index     int         `json:"index"`
		Target    base64Bytes `json:"marriedTo"`
		Signer    base64Bytes `json:"signer"`
		Signature base64Bytes `json:"signature"`
	}
	// base64Bytes is written as base64, and as null if it is nil.
	base64Bytes = []byte
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
		ID:             wire.ATXID(wire.RightAligned32(a.Name)),
		PublishEpoch:   wire.EpochID(a.Published),
		Commitment:     wire.ATXID(wire.RightAligned32(a.Committed)),
		VRFNonce:       a.Proof,
		BaseTickHeight: a.StartTick,
		TickCount:      a.Ticks,
		Smesher:        node(a.Signer),
		Sequence:       a.Serial,
		NumUnits:       a.TotalUnits,
		Units:          make(map[wire.NodeID]uint32, len(a.Shares)),
	}
	copy(out.Coinbase[:], a.PaidTo)
	if len(a.Marriage) == len(out.Marriage) {
		out.Marriage = wire.ATXID(a.Marriage)
	}
	for id, units := range a.Shares {
		out.Units[wire.NodeID(id)] = units
	}
	return out
}

// written is the opposite of restored.
func (a *ATX) written() atxJSON {
	out := atxJSON{
		Name: a.ID[:], Published: uint32(a.PublishEpoch), Committed: a.Commitment[:],
		Proof: a.VRFNonce, StartTick: a.BaseTickHeight, Ticks: a.TickCount,
		Signer: a.Smesher[:], Serial: a.Sequence, PaidTo: a.Coinbase[:], TotalUnits: a.NumUnits,
		Shares: make(map[nodeKey]uint32, len(a.Units)),
	}
	if !wire.IsZero(a.Marriage) {
		out.Marriage = a.Marriage[:]
	}
	for id, units := range a.Units {
		out.Shares[nodeKey(id)] = units
	}
	return out
}

func (a *accountJSON) restored(layer wire.LayerID) wire.Account {
	out := wire.Account{Layer: layer, Balance: a.Coins, NextNonce: a.NextNonce}
	copy(out.Address[:], a.Owner)
	if len(a.Kind) == 0 {
		return out // what is not spawned has no state
	}
	out.TemplateAddress = new(wire.Address)
	copy(out.TemplateAddress[:], a.Kind)
	if len(a.Storage) > 0 {
		out.State = a.Storage
	}
	return out
}

func writtenAccount(a *wire.Account) accountJSON {
	out := accountJSON{Owner: a.Address[:], Coins: a.Balance, NextNonce: a.NextNonce}
	if a.TemplateAddress != nil {
		out.Kind = a.TemplateAddress[:]
		out.Storage = a.State
	}
	return out
}
