package signing

import (
	"crypto/ed25519"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestVectorDomains(t *testing.T) {
	type domainCase struct {
		Domain      Domain       `json:"domain"`
		DomainName  string       `json:"domain_name"`
		Prefix      vectors.Hex  `json:"prefix"`
		Seed        vectors.Hex  `json:"seed"`
		PublicKey   vectors.Hex  `json:"public_key"`
		SignedBytes vectors.Hex  `json:"signed_bytes"`
		FullMessage *vectors.Hex `json:"full_message"`
		Signature   vectors.Hex  `json:"signature"`
	}
	vectors.Run(t, "crypto/ed25519_domains", func(t *testing.T, c domainCase) {
		require.Equal(t, c.DomainName, c.Domain.String())
		key := NewKey(c.Seed.Array32())
		require.Equal(t, wire.NodeID(c.PublicKey), key.NodeID())
		v := NewVerifier(c.Prefix)
		msg := v.message(nil, c.Domain, c.SignedBytes)
		require.Equal(t, []byte(*c.FullMessage), msg)
		got, err := key.Sign(c.Prefix, fixedRequest{c.Domain, c.SignedBytes})
		require.NoError(t, err)
		require.Equal(t, wire.EdSignature(c.Signature), got)
		require.True(t, v.Verify(c.Domain, key.NodeID(), c.SignedBytes, got))
	})
}

// fixedRequest signs a body of the test's choice.
type fixedRequest struct {
	d Domain
	b []byte
}

func (r fixedRequest) domain() Domain { return r.d }
func (r fixedRequest) body() []byte   { return r.b }
func (r fixedRequest) Slot() Slot {
	for _, kind := range Kinds() {
		if rule, _ := RuleOf(kind); rule.Domain == r.d && kind != SlotVRF {
			return Slot{Kind: kind}
		}
	}
	return Slot{}
}

type verifyCase struct {
	Domain      Domain      `json:"domain"`
	Prefix      vectors.Hex `json:"prefix"`
	PublicKey   vectors.Hex `json:"public_key"`
	SignedBytes vectors.Hex `json:"signed_bytes"`
	Signature   vectors.Hex `json:"signature"`
	Valid       bool        `json:"valid"`
	StdValid    bool        `json:"go_stdlib_valid"`
}

func TestVectorVerify(t *testing.T) {
	vectors.Run(t, "crypto/ed25519_verify", func(t *testing.T, c verifyCase) {
		v := NewVerifier(c.Prefix)
		key, sig := wire.NodeID(c.PublicKey), wire.EdSignature(c.Signature)
		require.Equal(t, c.Valid, v.Verify(c.Domain, key, c.SignedBytes, sig))
		msg := v.message(nil, c.Domain, c.SignedBytes)
		require.Equal(t, c.StdValid, ed25519.Verify(ed25519.PublicKey(c.PublicKey), msg, sig[:]))

		batch := v.NewBatch(2)
		batch.Add(c.Domain, key, c.SignedBytes, sig)
		require.Equal(t, []bool{c.Valid}, batch.Verify())
		batch.AddRaw(key, msg, sig)
		require.Equal(t, []bool{c.Valid, c.Valid}, batch.Verify())
	})
}

// All cases in one batch get the verdicts they get alone.
func TestBatchOfEdgeCases(t *testing.T) {
	var file struct{ Cases []verifyCase }
	vectors.Load(t, "crypto/ed25519_verify", &file)
	batch := NewVerifier(nil).NewBatch(0)
	var want []bool
	for range 3 {
		for _, c := range file.Cases {
			v := NewVerifier(c.Prefix)
			batch.AddRaw(c.PublicKey.Array32(), v.message(nil, c.Domain, c.SignedBytes), wire.EdSignature(c.Signature))
			want = append(want, c.Valid)
		}
		require.Equal(t, want, batch.Verify())
	}
	batch.Reset()
	require.Zero(t, batch.Len())
	require.Empty(t, batch.Verify())
}

func TestBatchAgreesWithSingles(t *testing.T) {
	v := NewVerifier([]byte("network"))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "n")
		batch := v.NewBatch(n)
		var want []bool
		for i := range n {
			var seed [32]byte
			binary.LittleEndian.PutUint32(seed[:], rapid.Uint32Max(3).Draw(t, "seed"))
			key := NewKey(seed)
			body := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "body")
			sig, err := key.Sign([]byte("network"), fixedRequest{ATX, body})
			if err != nil {
				t.Fatal(err)
			}
			if rapid.IntRange(0, 3).Draw(t, "break") == 0 {
				sig[rapid.IntRange(0, 63).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			}
			want = append(want, v.Verify(ATX, key.NodeID(), body, sig))
			batch.Add(ATX, key.NodeID(), body, sig)
			if batch.Len() != i+1 {
				t.Fatal("length")
			}
		}
		got := batch.Verify()
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("signature %d: batch says %v", i, got[i])
			}
		}
	})
}

func TestTransactionHasNoDomain(t *testing.T) {
	wallet := NewWalletKey([32]byte{1})
	sig := wallet.SignTransaction([]byte("net"), []byte("tx"))
	require.True(t, NewVerifier([]byte("net")).VerifyTransaction(wallet.PublicKey(), []byte("tx"), sig))
	require.False(t, NewVerifier([]byte("other")).VerifyTransaction(wallet.PublicKey(), []byte("tx"), sig))
	require.True(t, VerifyRaw(wallet.PublicKey(), []byte("nettx"), sig))
	batch := NewVerifier([]byte("net")).NewBatch(1)
	batch.AddTransaction(wallet.PublicKey(), []byte("tx"), sig)
	require.Equal(t, []bool{true}, batch.Verify())
}

func TestSlots(t *testing.T) {
	atx := &wire.ActivationTxV1{}
	atx.PublishEpoch = 7
	merged := &wire.ActivationTxV2{PublishEpoch: 7}
	require.Equal(t, SignATXv1{atx}.Slot(), SignATXv2{merged}.Slot(), "versions share the epoch's slot")

	proposal := SignProposal{wire.BallotMetadata{Layer: 9}}
	ballot := SignBallot{wire.BallotMetadata{Layer: 9}}
	require.NotEqual(t, proposal.Slot(), ballot.Slot())
	certify := SignCertify{wire.CertifyContent{LayerID: 9}}
	hare := SignHare{wire.HareMetadata{Layer: 9, Round: 13}}
	require.NotEqual(t, certify.Slot(), hare.Slot())
	require.Equal(t, uint64(9)<<32|13, hare.Slot().Number())
	first := SignBeaconFirst{wire.FirstVotingMessageBody{EpochID: 3}}
	follow := SignBeaconFollowup{wire.FollowingVotingMessageBody{EpochID: 3, RoundID: 2}}
	require.Equal(t, Slot{SlotBeaconFirst, 3, 0}, first.Slot())
	require.Equal(t, Slot{SlotBeaconFollowup, 3, 2}, follow.Slot())
	require.Equal(t, SignMarriage{wire.NodeID{1}}.Slot(), SignMarriage{wire.NodeID{2}}.Slot())
	require.False(t, SignPoet{}.Slot().Guarded())

	for _, r := range []Request{
		SignATXv1{atx}, SignATXv2{merged}, proposal, ballot, hare, certify, first, follow, SignMarriage{}, SignPoet{},
	} {
		rule, ok := RuleOf(r.Slot().Kind)
		require.True(t, ok)
		require.Equal(t, r.domain(), rule.Domain)
		sig, err := NewKey([32]byte{9}).Sign([]byte("p"), r)
		require.NoError(t, err)
		require.True(t, NewVerifier([]byte("p")).Verify(r.domain(), NewKey([32]byte{9}).NodeID(), r.body(), sig))
	}
}

func TestSlotTableIsClosed(t *testing.T) {
	for _, kind := range Kinds() {
		rule, ok := RuleOf(kind)
		require.True(t, ok)
		require.NotEmpty(t, rule.Reason)
		require.Equal(t, rule.Guarded, Slot{Kind: kind}.Guarded())
	}
	_, ok := RuleOf(SlotUnknown)
	require.False(t, ok)
	require.True(t, Slot{}.Guarded(), "an unknown kind is not free")
	_, err := Key{}.Sign(nil, fixedRequest{d: 200})
	require.ErrorIs(t, err, ErrNoSlot)
	_, err = SigningHash(nil, fixedRequest{d: 6})
	require.ErrorIs(t, err, ErrNoSlot)
}

func FuzzVerify(f *testing.F) {
	key := NewKey([32]byte{1})
	sig, _ := key.Sign(nil, SignPoet{})
	id := key.NodeID()
	f.Add(id[:], make([]byte, 32), sig[:])
	f.Fuzz(func(t *testing.T, key, body, sig []byte) {
		id, s := wire.LeftAligned32(key), wire.EdSignature{}
		copy(s[:], sig)
		v := NewVerifier(nil)
		batch := v.NewBatch(1)
		batch.Add(Poet, id, body, s)
		require.Equal(t, v.Verify(Poet, id, body, s), batch.Verify()[0])
	})
}

func BenchmarkVerify(b *testing.B) {
	key, v := NewKey([32]byte{1}), NewVerifier(make([]byte, 20))
	sig, _ := key.Sign(make([]byte, 20), SignPoet{})
	id, body := key.NodeID(), make([]byte, 32)
	b.ReportAllocs()
	for b.Loop() {
		if !v.Verify(Poet, id, body, sig) {
			b.Fatal("invalid")
		}
	}
}

func BenchmarkBatch256(b *testing.B) {
	v := NewVerifier(make([]byte, 20))
	batch := v.NewBatch(256)
	keys := make([]Key, 256)
	sigs := make([]wire.EdSignature, 256)
	for i := range keys {
		keys[i] = NewKey([32]byte{byte(i)})
		sigs[i], _ = keys[i].Sign(make([]byte, 20), SignPoet{})
	}
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		for i := range keys {
			batch.Add(Poet, keys[i].NodeID(), make([]byte, 32), sigs[i])
		}
		if ok := batch.Verify(); !ok[0] {
			b.Fatal("invalid")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/256, "ns/sig")
}
