package cli

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/smeshery/smeshery/pkg/keyfile"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// postKeyFile is the key that tools keep beside data which they made for it.
const postKeyFile = "identity.key"

func postCommands() []command {
	return []command{
		{"post init", "--dir DIR [flags]", "make an identity's proof of space data, or the rest of it", postInit},
		{"post prove", "--dir DIR [flags]", "prove the data for a challenge", postProve},
		{"post verify", "--dir DIR [flags]", "recompute a part of the data, or judge a proof", postVerify},
		{"post info", "--dir DIR [--json]", "tell what a directory holds", postInfo},
		{"post nonce", "--dir DIR", "search a lost VRF nonce in the labels", postNonce},
		{"post reset", "--dir DIR --yes", "delete labels and metadata", postReset},
	}
}

func postCommand(ctx context.Context, e *env, args []string) (int, error) {
	return subcommand(ctx, e, "post", postCommands(), args)
}

// postFlags are those that commands on a data directory share.
type postFlags struct {
	set           *flag.FlagSet
	dir, preset   *string
	labelsPerUnit *uint64
	scryptN       *uint64
}

func newPostFlags(e *env, name, arguments, text string) *postFlags {
	fs := flags(e, "post "+name, arguments, text)
	return &postFlags{
		set: fs, dir: fs.String("dir", "", "`directory` of the data"),
		preset:        fs.String("preset", network.MainnetName, "`network` whose numbers count"),
		labelsPerUnit: fs.Uint64("labels-per-unit", 0, "`number` of labels, if not the network's"),
		scryptN:       fs.Uint64("scrypt-n", 0, "`cost` of a label, if not the network's"),
	}
}

// parse answers the network's numbers, as far as flags leave them.
func (f *postFlags) parse(args []string) (post.Params, error) {
	rest, err := parse(f.set, args)
	switch {
	case err != nil:
		return post.Params{}, err
	case len(rest) > 0:
		return post.Params{}, usagef("it takes no arguments, but there is %q", rest[0])
	case *f.dir == "":
		return post.Params{}, usagef("--dir is missing")
	}
	n, err := network.Preset(*f.preset)
	if err != nil {
		return post.Params{}, errUsage{err}
	}
	p := post.Params{
		MinNumUnits: n.Post.MinNumUnits, MaxNumUnits: n.Post.MaxNumUnits, LabelsPerUnit: n.Post.LabelsPerUnit,
		K1: n.Post.K1, K2: n.Post.K2, K3: n.Post.K3, PowDifficulty: n.Post.PowDifficulty,
		Scrypt: post.Scrypt{N: uint64(n.Post.ScryptN), R: 1, P: 1},
	}
	if *f.labelsPerUnit > 0 {
		p.LabelsPerUnit = *f.labelsPerUnit
	}
	if *f.scryptN > 0 {
		p.Scrypt.N = *f.scryptN
	}
	return p, nil
}

// given tells whether a flag stands on the command line.
func (f *postFlags) given(name string) (found bool) {
	f.set.Visit(func(fl *flag.Flag) { found = found || fl.Name == name })
	return found
}

// metadata is that of the directory, or nil if it has none.
func (f *postFlags) metadata() (*post.Metadata, error) {
	m, err := postdata.LoadMetadata(*f.dir)
	if errors.Is(err, postdata.ErrMetadataMissing) {
		return nil, nil
	}
	return m, err
}

// key is the identity whose key lies beside the data; ok is false without one.
func (f *postFlags) key() (id wire.NodeID, ok bool, err error) {
	raw, err := os.ReadFile(filepath.Join(*f.dir, postKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return id, false, nil
	}
	if err != nil {
		return id, false, fmt.Errorf("%s: %w", postKeyFile, err)
	}
	key, err := keyfile.Parse(raw)
	if err != nil {
		return id, false, fmt.Errorf("%s: %w", postKeyFile, err)
	}
	return key.NodeID(), true, nil
}

// createKey makes an identity and keeps its key beside the data.
func (f *postFlags) createKey(seed [32]byte) (wire.NodeID, error) {
	key := signing.NewKey(seed)
	if err := os.MkdirAll(*f.dir, 0o700); err != nil {
		return wire.NodeID{}, err
	}
	return key.NodeID(), keyfile.Store(*f.dir, keyfile.Identity{Name: postKeyFile, Key: key})
}

// id32 reads 32 bytes in hex or base64.
func id32(name, text string) (out [32]byte, err error) {
	raw, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil {
		raw, err = base64.StdEncoding.DecodeString(text)
	}
	if err != nil || len(raw) != 32 {
		return out, usagef("--%s: %q is not 32 bytes in hex or base64", name, text)
	}
	return [32]byte(raw), nil
}

// postThreads is three quarters of the cores.
func postThreads() int { return max(1, runtime.GOMAXPROCS(0)*3/4) }

func postNonce(ctx context.Context, e *env, args []string) (int, error) {
	f := newPostFlags(e, "nonce", "--dir DIR", "Reads all labels and notes the VRF nonce in the metadata.")
	if _, err := f.parse(args); err != nil {
		return exitError, err
	}
	m, err := postdata.SearchNonce(ctx, *f.dir, nil, nil)
	if errors.Is(err, postdata.ErrNonceNotFound) {
		return exitDifferent, nil
	}
	if err != nil {
		return exitError, err
	}
	fmt.Fprintf(e.stdout, "nonce %d\n", *m.Nonce)
	return exitOK, nil
}

func postReset(_ context.Context, e *env, args []string) (int, error) {
	f := newPostFlags(e, "reset", "--dir DIR --yes", "Deletes labels and metadata, nothing else.")
	yes := f.set.Bool("yes", false, "really")
	if _, err := f.parse(args); err != nil {
		return exitError, err
	}
	if !*yes {
		return exitError, usagef("say --yes to delete all labels in %s", *f.dir)
	}
	if err := postdata.Reset(*f.dir); err != nil {
		return exitError, err
	}
	fmt.Fprintf(e.stdout, "deleted the data in %s\n", *f.dir)
	return exitOK, nil
}
