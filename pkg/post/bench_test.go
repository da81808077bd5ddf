package post_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/post"
)

// benchmarkTestnet verifies the recorded proof with mainnet's N, K1 and K2.
func benchmarkTestnet(b *testing.B, sel post.Selection, powVerified bool) {
	var file struct{ Cases []proofCase }
	vectors.Load(b, "post/proofs", &file)
	for _, c := range file.Cases {
		if c.K2 != 37 || c.N != 8192 {
			continue
		}
		v, err := post.NewVerifier(c.params(), pow(b), 1)
		require.NoError(b, err)
		task := c.task()
		task.Select, task.PowVerified = sel, powVerified
		b.ReportAllocs()
		for b.Loop() {
			if err := v.Verify(&task); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	b.Fatal("no proof of that cost in the vectors")
}

func BenchmarkVerifyAllWithPow(b *testing.B)    { benchmarkTestnet(b, post.All(), false) }
func BenchmarkVerifyAllWithoutPow(b *testing.B) { benchmarkTestnet(b, post.All(), true) }
func BenchmarkVerifyK3WithPow(b *testing.B) {
	benchmarkTestnet(b, post.Subset(1, []byte("seed")), false)
}
func BenchmarkVerifyK3WithoutPow(b *testing.B) {
	benchmarkTestnet(b, post.Subset(1, []byte("seed")), true)
}
