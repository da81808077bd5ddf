package post

import (
	"crypto/sha256"
	"errors"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/wire"
)

// hashPow is a pow that every test can afford.
type hashPow struct{}

func (hashPow) Hash(in []byte) ([32]byte, error) { return sha256.Sum256(in), nil }

func testParams() Params {
	p := Params{
		MinNumUnits: 1, MaxNumUnits: 100, LabelsPerUnit: 128, K1: 12, K2: 4, K3: 1, Scrypt: Scrypt{N: 2, R: 1, P: 1},
	}
	p.PowDifficulty[0] = 0x80
	return p
}

func testVerifier(t testing.TB) *Verifier {
	t.Helper()
	v, err := NewVerifier(testParams(), hashPow{}, 3)
	require.NoError(t, err)
	return v
}

// proved makes data in memory and a proof for it, with the plain tools.
func proved(t require.TestingT, p Params, st Statement) Task {
	numLabels, _ := NumLabels(st.NumUnits, p.LabelsPerUnit)
	l, err := NewLabeler(p.Scrypt)
	require.NoError(t, err)
	data := make([]byte, numLabels*LabelSize)
	l.Range(Commitment(st.NodeID, st.CommitmentATX), 0, data, nil)
	limit, err := ProvingDifficulty(p.K1, numLabels)
	require.NoError(t, err)
	scaled, err := ScalePowDifficulty(p.PowDifficulty, st.NumUnits)
	require.NoError(t, err)
	for group := range uint32(MaxNonceGroup + 1) {
		pow := PowTask{
			Group: uint8(group), Challenge: [8]byte(st.Challenge[:8]), NodeID: st.NodeID, Difficulty: scaled,
		}
		solution := uint64(0)
		for ok := false; !ok; {
			solution++
			ok, _ = pow.Check(hashPow{}, solution)
		}
		s, err := NewScanner(st.Challenge, group*NoncesPerGroup, []uint64{solution}, limit)
		require.NoError(t, err)
		if nonce, indices, won := NewTally(s, p.K2).Add(s.Scan(data, 0, nil)); won {
			return Task{Proof: Finish(nonce, indices, solution, numLabels), Statement: st}
		}
	}
	require.FailNow(t, "no proof")
	return Task{}
}

func TestProofsVerifyInEveryMode(t *testing.T) {
	v := testVerifier(t)
	rapid.Check(t, func(t *rapid.T) {
		st := Statement{NumUnits: rapid.Uint32Range(1, 6).Draw(t, "units")}
		copy(st.NodeID[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "node"))
		copy(st.Challenge[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "challenge"))
		task := proved(t, testParams(), st)
		for _, sel := range []Selection{All(), One(2), One(9), Subset(0, nil), Subset(1, []byte("x")), Subset(9, nil)} {
			task.Select = sel
			require.NoError(t, v.Verify(&task))
		}
		require.NoError(t, v.VerifyPow(&task))
		task.Proof.Pow++ // changes keys and pow
		require.Error(t, v.Verify(&task))
	})
}

// TestBatchAgreesWithOneByOne mixes good and broken tasks.
func TestBatchAgreesWithOneByOne(t *testing.T) {
	v := testVerifier(t)
	rapid.Check(t, func(t *rapid.T) {
		var tasks []Task
		for i := range rapid.IntRange(0, 12).Draw(t, "tasks") {
			task := proved(t, testParams(), Statement{NumUnits: 2, NodeID: wire.NodeID{byte(i)}})
			switch rapid.IntRange(0, 4).Draw(t, "kind") {
			case 0:
				task.Proof.Indices[rapid.IntRange(0, len(task.Proof.Indices)-1).Draw(t, "at")] ^= 0x10
			case 1:
				task.Proof.Nonce++
			case 2:
				task.Statement.NumUnits = rapid.Uint32Range(0, 200).Draw(t, "units")
			}
			task.PowVerified = rapid.Bool().Draw(t, "pow verified")
			task.Select = rapid.SampledFrom([]Selection{All(), One(1), Subset(2, []byte{1})}).Draw(t, "mode")
			tasks = append(tasks, task)
		}
		errs := v.VerifyBatch(tasks)
		require.Len(t, errs, len(tasks))
		for i := range tasks {
			require.Equal(t, v.Verify(&tasks[i]), errs[i])
		}
	})
}

func TestVerifierServesManyGoroutines(t *testing.T) {
	v := testVerifier(t)
	good := proved(t, testParams(), Statement{NumUnits: 3})
	bad := good
	bad.Statement.CommitmentATX[0] = 1
	want := v.Verify(&bad)
	require.Error(t, want)
	var wg sync.WaitGroup
	errs := make(chan error, 200)
	for i := range 100 {
		wg.Go(func() {
			if i%2 == 0 {
				errs <- v.Verify(&good)
			} else if got := v.Verify(&bad); got == nil || got.Error() != want.Error() {
				errs <- errors.Join(errors.New("another verdict"), got)
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
}

type failingPow struct{}

func (failingPow) Hash([]byte) ([32]byte, error) { return [32]byte{}, errors.New("no memory") }

func TestOurFailuresAreNoRules(t *testing.T) {
	task := proved(t, testParams(), Statement{NumUnits: 2})
	broken, err := NewVerifier(testParams(), failingPow{}, 1)
	require.NoError(t, err)
	require.Empty(t, RuleOf(broken.Verify(&task)))
	require.ErrorContains(t, broken.Verify(&task), "no memory")
	without, err := NewVerifier(testParams(), nil, 1)
	require.NoError(t, err)
	require.ErrorIs(t, without.Verify(&task), ErrNoPow)
	task.PowVerified = true
	require.NoError(t, without.Verify(&task))
}

func TestExtremesAreRefused(t *testing.T) {
	p := testParams()
	p.MinNumUnits, p.MaxNumUnits, p.LabelsPerUnit = 0, math.MaxUint32, math.MaxUint64
	v, err := NewVerifier(p, hashPow{}, 1)
	require.NoError(t, err)
	require.Equal(t, RuleNumUnitsTooSmall, RuleOf(v.Verify(&Task{PowVerified: true})))
	many := Task{PowVerified: true, Statement: Statement{NumUnits: math.MaxUint32}}
	require.Equal(t, RuleNumLabels, RuleOf(v.Verify(&many)))
	require.Equal(t, RuleVRFNumLabels, RuleOf(v.VerifyNonce(&NonceClaim{NumUnits: 2, LabelsPerUnit: math.MaxUint64})))
}

func TestPackingRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 64).Draw(t, "width")
		indices := rapid.SliceOf(rapid.Uint64()).Draw(t, "indices")
		packed := PackIndices(indices, width)
		require.EqualValues(t, PackedLen(uint64(len(indices)), width), len(packed))
		got := UnpackIndices(packed, width)
		require.GreaterOrEqual(t, len(got), len(indices))
		for i, index := range indices {
			require.Equal(t, index&(math.MaxUint64>>(64-width)), got[i])
		}
	})
}

func FuzzUnpackIndex(f *testing.F) {
	f.Add([]byte{0x28, 0x0e}, 3, 1)
	f.Add([]byte{}, 0, -1)
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, 65, 0)
	f.Fuzz(func(t *testing.T, packed []byte, width, ordinal int) {
		got, ok := UnpackIndex(packed, width, ordinal)
		if !ok {
			return
		}
		var want uint64 // bit by bit
		for b := range width {
			pos := ordinal*width + b
			want |= uint64(packed[pos/8]>>(pos%8)&1) << b
		}
		require.Equal(t, want, got)
	})
}

// FuzzVerify: never panics, gives one verdict, and only rules reject.
func FuzzVerify(f *testing.F) {
	v := testVerifier(f)
	good := proved(f, testParams(), Statement{NumUnits: 2})
	f.Add(good.Proof.Nonce, good.Proof.Indices, good.Proof.Pow, uint32(2), byte(0), 0, uint32(1), []byte{})
	f.Add(uint32(4096), []byte{1}, uint64(math.MaxUint64), uint32(0), byte(1), -1, uint32(9), []byte{1})
	f.Add(uint32(1), make([]byte, 5), uint64(1), uint32(3), byte(6), 2, uint32(2), []byte("seed"))
	f.Fuzz(func(t *testing.T, nonce uint32, indices []byte, pow uint64, units uint32, mode byte, one int, k3 uint32, seed []byte) {
		task := Task{
			Proof: Proof{Nonce: nonce, Indices: indices, Pow: pow}, Statement: Statement{NumUnits: units},
			Select: [3]Selection{All(), One(one), Subset(k3, seed)}[mode%3], PowVerified: mode >= 3,
		}
		err := v.Verify(&task)
		require.Equal(t, err, v.Verify(&task))
		require.Equal(t, err, v.VerifyBatch([]Task{task})[0])
		if err != nil {
			require.NotEmpty(t, RuleOf(err))
		}
	})
}

func FuzzParseMetadata(f *testing.F) {
	value := uint64(7)
	f.Add((&Metadata{LabelsPerUnit: 1, NumUnits: 2, MaxFileSize: 3}).Encode())
	f.Add((&Metadata{Nonce: &value, NonceValue: make([]byte, 16), LastPosition: &value}).Encode())
	f.Add([]byte(`{"nodeid":null,"Nonce":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := ParseMetadata(raw)
		if err != nil {
			require.ErrorIs(t, err, ErrMetadata)
			return
		}
		again, err := ParseMetadata(m.Encode())
		require.NoError(t, err)
		require.Equal(t, m, again)
	})
}

func TestMetadataOfOtherTools(t *testing.T) {
	m := Metadata{NodeID: wire.NodeID{1}, CommitmentATX: wire.ATXID{2}, LabelsPerUnit: 3, NumUnits: 4, MaxFileSize: 5}
	raw := `{
  "NodeId": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
  "CommitmentAtxId": "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
  "labelsperunit": 3, "NumUnits": 4, "MaxFileSize": 5, "Nonce": null, "LastPosition": null, "Extra": {}
}`
	got, err := ParseMetadata([]byte(raw))
	require.NoError(t, err)
	require.Equal(t, &m, got)
	for _, bad := range []string{"", "{}", "[]", `{"NodeId":"AQ=="}`, raw + "x", raw[:40]} {
		_, err := ParseMetadata([]byte(bad))
		require.ErrorIs(t, err, ErrMetadata)
	}
}

func benchmarkVerify(b *testing.B, sel Selection, batch int) {
	p := testParams()
	p.LabelsPerUnit, p.K1, p.K2 = 1024, 26, 37
	task := proved(b, p, Statement{NumUnits: 1})
	p.Scrypt.N = 8192 // the one label that is checked is bad then, at the same cost
	v, err := NewVerifier(p, nil, 1)
	require.NoError(b, err)
	task.PowVerified, task.Select = true, sel
	tasks := make([]Task, batch)
	for i := range tasks {
		tasks[i] = task
	}
	b.ReportAllocs()
	for b.Loop() {
		v.VerifyBatch(tasks)
	}
	b.ReportMetric(float64(batch*b.N)/b.Elapsed().Seconds(), "proofs/s")
}

func BenchmarkVerifySubset1(b *testing.B)      { benchmarkVerify(b, Subset(1, []byte("seed")), 1) }
func BenchmarkVerifySubset1Batch(b *testing.B) { benchmarkVerify(b, Subset(1, []byte("seed")), 64) }
