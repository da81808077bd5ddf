package source

import (
	"encoding/binary"
	"time"

	"github.com/smeshery/smeshery/pkg/wire"
)

// PoetProof is a PoET server's proof of a round.
type PoetProof struct {
	Place Place
	Ref   wire.PoetProofRef
	// ServiceID and RoundID are what the proof says of itself.
	ServiceID []byte
	RoundID   string
	Blob      []byte
}

// ATX is an activation with the columns that were derived from it.
type ATX struct {
	Place        Place
	ID           wire.ATXID
	PublishEpoch wire.EpochID
	NodeID       wire.NodeID
	Received     time.Time
	Units        uint32
	Weight       uint64
	BaseHeight   uint64
	Ticks        uint64
	Sequence     uint64
	VRFNonce     uint64
	Coinbase     wire.Address
	// Commitment is in initial ATXs only.
	Commitment *wire.ATXID
	// Validity: 0 a subset of its indices was verified, 1 all, 2 it is invalid.
	Validity int
	Marriage *wire.ATXID
	Version  int
	Blob     []byte
}

// ActiveSet is a list of ATXs under its hash.
type ActiveSet struct {
	Place Place
	ID    wire.Hash32
	Epoch wire.EpochID
	Blob  []byte
}

// Beacon is an epoch's beacon.
type Beacon struct {
	Place  Place
	Epoch  wire.EpochID
	Beacon wire.Beacon
}

// Ballot is a stored ballot.
type Ballot struct {
	Place  Place
	ID     wire.BallotID
	Layer  wire.LayerID
	ATX    wire.ATXID
	NodeID wire.NodeID
	Blob   []byte
}

// Block is a stored block.
type Block struct {
	Place Place
	ID    wire.BlockID
	Layer wire.LayerID
	// Validity is nil while tortoise has not decided.
	Validity *bool
	Blob     []byte
}

// Certificate is hare's output in a layer, and the certificate for it.
type Certificate struct {
	Place Place
	Layer wire.LayerID
	// Block is zero for an empty output.
	Block wire.BlockID
	// Blob is nil for an output without a certificate.
	Blob  []byte
	Valid bool
}

// Transaction is a raw transaction and what became of it.
type Transaction struct {
	Place Place
	ID    wire.TransactionID
	// Layer and Block tell where it was applied; nil if it never was.
	Layer *wire.LayerID
	Block *wire.BlockID
	// Header is nil while nobody verified it, Result until it was applied.
	Header, Result []byte
	Principal      *wire.Address
	Nonce          *uint64
	Raw            []byte
}

// Layer is what a node made of a layer.
type Layer struct {
	Place     Place
	Layer     wire.LayerID
	WeakCoin  *bool
	Processed bool
	// Applied is nil where the state is not there yet, zero for an empty layer.
	Applied *wire.BlockID
	// Root and Aggregated are nil where they were not computed.
	Root, Aggregated *wire.Hash32
}

// Account is a version of an account.
type Account struct {
	Place     Place
	Address   wire.Address
	Balance   uint64
	NextNonce uint64
	Layer     wire.LayerID
	Template  *wire.Address
	State     []byte
}

// Reward is what an identity got for a layer.
type Reward struct {
	Place              Place
	NodeID             wire.NodeID
	Coinbase           wire.Address
	Layer              wire.LayerID
	Total, LayerReward uint64
}

// Identity is an identity that is known to be malicious.
type Identity struct {
	Place  Place
	NodeID wire.NodeID
	// Received is 1970 where the source does not tell.
	Received time.Time
	// Proof is nil where only the mark came, without the proof.
	Proof []byte
}

// Marriage is a married identity.
type Marriage struct {
	Place  Place
	NodeID wire.NodeID
	// ATX is the marriage ATX.
	ATX wire.ATXID
}

func readPoetProof(f *fields) PoetProof {
	return PoetProof{
		Place: f.place, Ref: wire.PoetProofRef(f.bytes(32, "ref")),
		ServiceID: f.bytes(anyLength, "service_id"), RoundID: string(f.optionalBytes("round_id")), Blob: f.bytes(anyLength, "blob"),
	}
}

func readATX(f *fields) ATX {
	a := ATX{
		Place: f.place, ID: wire.ATXID(f.bytes(32, "id")), PublishEpoch: wire.EpochID(f.u32("publish_epoch")),
		NodeID: wire.NodeID(f.bytes(32, "node_id")), Received: time.Unix(0, int64(f.u64("received_ns"))),
		Units: f.u32("effective_num_units"), Weight: f.u64("weight"), BaseHeight: f.u64("base_tick_height"),
		Ticks: f.u64("tick_count"), Sequence: f.u64("sequence"), VRFNonce: f.u64("vrf_nonce"),
		Coinbase: wire.Address(f.bytes(24, "coinbase")), Validity: int(f.u32("validity")),
		Commitment: optionalID[wire.ATXID](f, "commitment_atx"), Marriage: optionalID[wire.ATXID](f, "marriage_atx"),
		Version: int(f.u32("version")), Blob: f.bytes(anyLength, "blob"),
	}
	a.Version = max(1, a.Version) // databases write 0 for the first version
	return a
}

func readActiveSet(f *fields) ActiveSet {
	return ActiveSet{
		Place: f.place, ID: wire.Hash32(f.bytes(32, "id")), Epoch: wire.EpochID(f.u32("epoch")), Blob: f.bytes(anyLength, "blob"),
	}
}

func readBeacon(f *fields) Beacon {
	return Beacon{Place: f.place, Epoch: wire.EpochID(f.u32("epoch")), Beacon: wire.Beacon(f.bytes(4, "beacon"))}
}

func readBallot(f *fields) Ballot {
	return Ballot{
		Place: f.place, ID: wire.BallotID(f.id20("id")), Layer: wire.LayerID(f.u32("layer")),
		ATX: wire.ATXID(f.bytes(32, "atx")), NodeID: wire.NodeID(f.bytes(32, "node_id")), Blob: f.bytes(anyLength, "blob"),
	}
}

func readBlock(f *fields) Block {
	b := Block{
		Place: f.place, ID: wire.BlockID(f.id20("id")), Layer: wire.LayerID(f.u32("layer")), Blob: f.bytes(anyLength, "blob"),
	}
	if v, ok := f.optional64("validity"); ok && int64(v) != 0 {
		b.Validity = new(int64(v) > 0)
	}
	return b
}

func readCertificate(f *fields) Certificate {
	return Certificate{
		Place: f.place, Layer: wire.LayerID(f.u32("layer")), Block: wire.BlockID(f.id20("block")),
		Blob: f.optionalBytes("blob"), Valid: f.u64("valid") != 0,
	}
}

func readTransaction(f *fields) Transaction {
	t := Transaction{
		Place: f.place, ID: wire.TransactionID(f.bytes(32, "id")), Header: f.optionalBytes("header"),
		Result: f.optionalBytes("result"), Raw: f.bytes(anyLength, "raw"),
		Principal: optionalID[wire.Address](f, "principal"),
	}
	if l, ok := f.optional64("layer"); ok {
		t.Layer = new(wire.LayerID(l))
	}
	if b := f.optionalBytes("block"); b != nil {
		t.Block = new(wire.BlockID(f.cut20("block", b)))
	}
	switch n := f.optionalBytes("nonce"); {
	case len(n) == 8:
		t.Nonce = new(binary.BigEndian.Uint64(n))
	case n != nil:
		f.fail("nonce", "has %d bytes, not 8", len(n))
	}
	if t.Result != nil && t.Layer == nil {
		f.fail("layer", "is missing beside a result")
	}
	return t
}

func readLayer(f *fields) Layer {
	l := Layer{
		Place: f.place, Layer: wire.LayerID(f.u32("layer")),
		Root: optionalID[wire.Hash32](f, "state_hash"), Aggregated: optionalID[wire.Hash32](f, "aggregated_hash"),
	}
	if c, ok := f.optional64("weak_coin"); ok {
		l.WeakCoin = new(c != 0)
	}
	if p, ok := f.optional64("processed"); ok {
		l.Processed = p != 0
	}
	if b := f.optionalBytes("applied_block"); b != nil {
		l.Applied = new(wire.BlockID(f.cut20("applied_block", b)))
	}
	return l
}

func readAccount(f *fields) Account {
	return Account{
		Place: f.place, Address: wire.Address(f.bytes(24, "address")), Balance: f.u64("balance"),
		NextNonce: f.u64("next_nonce"), Layer: wire.LayerID(f.u32("layer_updated")),
		Template: optionalID[wire.Address](f, "template"), State: f.optionalBytes("state"),
	}
}

func readReward(f *fields) Reward {
	return Reward{
		Place: f.place, NodeID: wire.NodeID(f.bytes(32, "node_id")), Coinbase: wire.Address(f.bytes(24, "coinbase")),
		Layer: wire.LayerID(f.u32("layer")), Total: f.u64("total_reward"), LayerReward: f.u64("layer_reward"),
	}
}

func readIdentity(f *fields) Identity {
	i := Identity{
		Place: f.place, NodeID: wire.NodeID(f.bytes(32, "node_id", "pubkey", "id")),
		Proof: f.optionalBytes("proof", "blob"), Received: time.Unix(0, 0),
	}
	if f.has("received_ns") {
		i.Received = time.Unix(0, int64(f.u64("received_ns")))
	}
	return i
}

func readMarriage(f *fields) Marriage {
	m := Marriage{
		Place: f.place, NodeID: wire.NodeID(f.bytes(32, "node_id", "pubkey")),
		ATX: wire.ATXID(f.bytes(32, "marriage_atx", "atx")),
	}
	return m
}
