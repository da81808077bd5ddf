package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"

	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata"
	"github.com/smeshery/smeshery/pkg/post/postdata/nice"
	"github.com/smeshery/smeshery/pkg/post/randomx"
	"github.com/smeshery/smeshery/pkg/wire"
)

// proofFile is what prove prints and verify reads; certifiers take the same.
type proofFile struct {
	Proof    post.Proof     `json:"proof"`
	Metadata post.Statement `json:"metadata"`
}

func postProve(ctx context.Context, e *env, args []string) (int, error) {
	f := newPostFlags(e, "prove", "--dir DIR [flags]",
		"Proves the data for a challenge, verifies the proof, and prints it as JSON.")
	text := f.set.String("challenge", "", "`challenge`, in hex or base64; empty is 32 zero bytes")
	nonces := f.set.Uint("nonces", 0, "`number` of nonces of a pass, a multiple of 16; 0 is 288, or 16 for small data")
	threads := f.set.Int("threads", postThreads(), "`cores` to use")
	mode := f.set.String("randomx", "auto", "`mode`: light takes 256 MiB, fast 2080 MiB")
	params, err := f.parse(args)
	if err != nil {
		return exitError, err
	}
	var challenge wire.Hash32
	if *text != "" {
		if challenge, err = id32("challenge", *text); err != nil {
			return exitError, err
		}
	}
	meta, err := postdata.LoadMetadata(*f.dir)
	if err != nil {
		return exitError, err
	}
	params.LabelsPerUnit = meta.LabelsPerUnit
	pow, err := openPow(*mode, &params, *threads)
	if err != nil {
		return exitError, err
	}
	defer pow.Close()
	labels, _ := post.NumLabels(meta.NumUnits, meta.LabelsPerUnit)
	if *nonces == 0 {
		if *nonces = 288; labels < 1<<20 {
			*nonces = post.NoncesPerGroup
		}
	}
	bar := newBar(e, "bytes", labels*post.LabelSize)
	proof, _, err := postdata.Prove(ctx, *f.dir, challenge, postdata.ProveConfig{
		Params: params, Nonces: uint32(*nonces), Threads: *threads, Nice: nice.Proving, Solver: pow, Scanned: bar.add,
	})
	bar.done()
	if err != nil {
		return exitError, err
	}
	out := proofFile{*proof, post.Statement{
		NodeID: meta.NodeID, CommitmentATX: meta.CommitmentATX, Challenge: challenge, NumUnits: meta.NumUnits,
	}}
	if err := judge(&out, params, pow); err != nil {
		return exitDifferent, fmt.Errorf("the proof does not verify, labels on disk must be wrong: %w", err)
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return exitError, err
	}
	fmt.Fprintf(e.stdout, "%s\n", raw)
	return exitOK, nil
}

func openPow(mode string, p *post.Params, threads int) (*randomx.Hasher, error) {
	cfg := randomx.Config{Key: []byte(post.PowKey), VMs: threads, InitCores: threads}
	switch {
	case mode == "fast", mode == "auto" && p.PowDifficulty[0] < 0x10:
		cfg.Mode = randomx.Fast
	case mode == "light", mode == "auto":
	default:
		return nil, usagef("--randomx: %q is neither light nor fast", mode)
	}
	return randomx.New(cfg)
}

func judge(f *proofFile, params post.Params, pow post.PowHasher) error {
	params.MinNumUnits, params.MaxNumUnits = min(params.MinNumUnits, f.Metadata.NumUnits), max(params.MaxNumUnits, f.Metadata.NumUnits)
	v, err := post.NewVerifier(params, pow, 1)
	if err != nil {
		return err
	}
	return v.Verify(&post.Task{Proof: f.Proof, Statement: f.Metadata, Select: post.All()})
}

func postVerify(ctx context.Context, e *env, args []string) (int, error) {
	f := newPostFlags(e, "verify", "--dir DIR [--percent P] | --proof FILE",
		"Recomputes labels of each file, and looks whether identity.key belongs to them; or judges\na proof as prove prints it. Exits with 1 if something is wrong.")
	percent := f.set.Float64("percent", 0.2, "`part` of the labels of each file, 100 is all")
	path := f.set.String("proof", "", "`file` with a proof, - is standard input")
	// A proof needs no directory.
	if params, err := f.parse(args); err == nil || *path == "" {
		if err != nil {
			return exitError, err
		}
		return verifyData(ctx, e, f, params, *percent, *path)
	}
	if err := f.set.Set("dir", "."); err != nil {
		return exitError, err
	}
	params, err := f.parse(args)
	if err != nil {
		return exitError, err
	}
	return verifyProof(e, *path, params)
}

func verifyData(ctx context.Context, e *env, f *postFlags, params post.Params, percent float64, path string) (int, error) {
	meta, err := postdata.LoadMetadata(*f.dir)
	if err != nil {
		return exitError, err
	}
	if path != "" {
		params.LabelsPerUnit = meta.LabelsPerUnit
		return verifyProof(e, path, params)
	}
	key, ok, err := f.key()
	if err != nil {
		return exitError, err
	}
	if ok && key != meta.NodeID {
		return exitDifferent, fmt.Errorf("%s is %s, but the data belongs to %s", postKeyFile, key, meta.NodeID)
	}
	err = postdata.Check(ctx, *f.dir, postdata.CheckConfig{
		Scrypt: params.Scrypt, Percent: percent, Rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	})
	if altered, bad := errors.AsType[*postdata.AlteredError](err); bad {
		fmt.Fprintf(e.stdout, "bad: %v\n", altered)
		return exitDifferent, nil
	}
	if err != nil {
		return exitError, err
	}
	fmt.Fprintf(e.stdout, "good: %g %% of the labels of each file\n", percent)
	return exitOK, nil
}

func verifyProof(e *env, path string, params post.Params) (int, error) {
	raw, err := readAll(path)
	if err != nil {
		return exitError, err
	}
	var in proofFile
	if err := json.Unmarshal(raw, &in); err != nil {
		return exitError, fmt.Errorf("proof: %w", err)
	}
	pow, err := openPow("light", &params, 1)
	if err != nil {
		return exitError, err
	}
	defer pow.Close()
	err = judge(&in, params, pow)
	if post.RuleOf(err) != "" {
		fmt.Fprintf(e.stdout, "bad: %v\n", err)
		return exitDifferent, nil
	}
	if err != nil {
		return exitError, err
	}
	fmt.Fprintln(e.stdout, "good")
	return exitOK, nil
}

// readAll reads a file of bounded size, or standard input.
func readAll(path string) ([]byte, error) {
	in := os.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, 1<<20))
}
