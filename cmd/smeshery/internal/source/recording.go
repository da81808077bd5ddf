package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// recording is a directory of gzipped JSON lines.
type recording struct {
	dir      string
	manifest *Manifest
	params   network.Params
	// unsorted files are sorted when they are read.
	unsorted map[Kind]bool
}

func openRecording(ctx context.Context, dir string) (Source, error) {
	m, err := ReadManifest(filepath.Join(dir, manifestFile))
	if err != nil {
		return nil, err
	}
	if m.Files == nil {
		return nil, &Error{Path: filepath.Join(dir, manifestFile), Err: errors.New("files is missing: the number of rows of each file")}
	}
	r := &recording{dir: dir, manifest: m, unsorted: make(map[Kind]bool)}
	if r.params, err = m.Params(); err != nil {
		return nil, &Error{Path: filepath.Join(dir, manifestFile), Err: err}
	}
	checks := []func(context.Context) error{
		check(r, PoetProofs, readPoetProof, nil), check(r, ATXs, readATX, compareATXs),
		check(r, ActiveSets, readActiveSet, compareActiveSets), check(r, Beacons, readBeacon, compareBeacons),
		check(r, Transactions, readTransaction, compareTransactions), check(r, Ballots, readBallot, compareBallots),
		check(r, Blocks, readBlock, compareBlocks), check(r, Certificates, readCertificate, compareCertificates),
		check(r, Layers, readLayer, compareLayers), check(r, Accounts, readAccount, compareAccounts),
		check(r, Rewards, readReward, compareRewards), check(r, Identities, readIdentity, nil),
		check(r, Marriages, readMarriage, nil),
	}
	for _, c := range checks {
		if err := c(ctx); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *recording) path(k Kind) string { return filepath.Join(r.dir, string(k)+".jsonl.gz") }

// check reads a file to its end, counts its rows and finds out about its order.
func check[T any](r *recording, k Kind, read func(*fields) T, order func(a, b T) int) func(context.Context) error {
	return func(ctx context.Context) error {
		want, ok := r.manifest.Files[string(k)]
		if !ok {
			return &Error{Path: filepath.Join(r.dir, manifestFile), Err: fmt.Errorf("files.%s is missing", k)}
		}
		var n int
		var last T
		for row, err := range lines(ctx, r.path(k), read) {
			if err != nil {
				return err
			}
			if order != nil && n > 0 && order(last, row) > 0 {
				r.unsorted[k] = true
			}
			last = row
			n++
		}
		if n != want {
			return &Error{r.path(k), n, fmt.Errorf("%d rows, but the manifest counts %d", n, want)}
		}
		return nil
	}
}

// lines yields the rows of a file as they stand there.
func lines[T any](ctx context.Context, path string, read func(*fields) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		r, err := openLines(path)
		if err != nil {
			yield(zero, err)
			return
		}
		defer r.close()
		for {
			f, err := r.next()
			if errors.Is(err, io.EOF) {
				return
			}
			var row T
			if err == nil {
				row = read(f)
				if f.err != nil {
					err = &Error{path, f.place.Line, f.err}
				} else {
					err = ctx.Err()
				}
			}
			if err != nil {
				yield(zero, err)
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// sorted yields the rows of a file in order.
func sorted[T any](ctx context.Context, r *recording, k Kind, read func(*fields) T, order func(a, b T) int) iter.Seq2[T, error] {
	if !r.unsorted[k] {
		return lines(ctx, r.path(k), read)
	}
	return func(yield func(T, error) bool) {
		var all []T
		for row, err := range lines(ctx, r.path(k), read) {
			if err != nil {
				yield(row, err)
				return
			}
			all = append(all, row)
		}
		slices.SortStableFunc(all, order)
		for _, row := range all {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func compareATXs(a, b ATX) int {
	return cmp.Or(cmp.Compare(a.PublishEpoch, b.PublishEpoch), a.Received.Compare(b.Received))
}
func compareActiveSets(a, b ActiveSet) int     { return cmp.Compare(a.Epoch, b.Epoch) }
func compareBeacons(a, b Beacon) int           { return cmp.Compare(a.Epoch, b.Epoch) }
func compareBallots(a, b Ballot) int           { return cmp.Compare(a.Layer, b.Layer) }
func compareBlocks(a, b Block) int             { return cmp.Compare(a.Layer, b.Layer) }
func compareCertificates(a, b Certificate) int { return cmp.Compare(a.Layer, b.Layer) }
func compareLayers(a, b Layer) int             { return cmp.Compare(a.Layer, b.Layer) }
func compareAccounts(a, b Account) int         { return cmp.Compare(a.Layer, b.Layer) }
func compareRewards(a, b Reward) int           { return cmp.Compare(a.Layer, b.Layer) }
func compareTransactions(a, b Transaction) int { return cmp.Compare(a.place(), b.place()) }

// place orders transactions: -1 for one that was never applied.
func (t *Transaction) place() int64 {
	if t.Layer == nil {
		return -1
	}
	return int64(*t.Layer)
}

func (r *recording) Name() string           { return r.dir }
func (r *recording) Params() network.Params { return r.params }
func (r *recording) Count(k Kind) int       { return r.manifest.Files[string(k)] }
func (r *recording) Close() error           { return nil }

func (r *recording) PoetProofs(ctx context.Context) iter.Seq2[PoetProof, error] {
	return lines(ctx, r.path(PoetProofs), readPoetProof)
}

func (r *recording) ATXs(ctx context.Context) iter.Seq2[ATX, error] {
	return sorted(ctx, r, ATXs, readATX, compareATXs)
}

func (r *recording) ActiveSets(ctx context.Context) iter.Seq2[ActiveSet, error] {
	return sorted(ctx, r, ActiveSets, readActiveSet, compareActiveSets)
}

func (r *recording) Beacons(ctx context.Context) iter.Seq2[Beacon, error] {
	return sorted(ctx, r, Beacons, readBeacon, compareBeacons)
}

func (r *recording) Transactions(ctx context.Context) iter.Seq2[Transaction, error] {
	return sorted(ctx, r, Transactions, readTransaction, compareTransactions)
}

func (r *recording) Ballots(ctx context.Context) iter.Seq2[Ballot, error] {
	return sorted(ctx, r, Ballots, readBallot, compareBallots)
}

func (r *recording) Blocks(ctx context.Context) iter.Seq2[Block, error] {
	return sorted(ctx, r, Blocks, readBlock, compareBlocks)
}

func (r *recording) Certificates(ctx context.Context) iter.Seq2[Certificate, error] {
	return sorted(ctx, r, Certificates, readCertificate, compareCertificates)
}

func (r *recording) Layers(ctx context.Context) iter.Seq2[Layer, error] {
	return sorted(ctx, r, Layers, readLayer, compareLayers)
}

func (r *recording) Accounts(ctx context.Context) iter.Seq2[Account, error] {
	return sorted(ctx, r, Accounts, readAccount, compareAccounts)
}

func (r *recording) Rewards(ctx context.Context) iter.Seq2[Reward, error] {
	return sorted(ctx, r, Rewards, readReward, compareRewards)
}

func (r *recording) Identities(ctx context.Context) iter.Seq2[Identity, error] {
	return lines(ctx, r.path(Identities), readIdentity)
}

func (r *recording) Marriages(ctx context.Context) iter.Seq2[Marriage, error] {
	return lines(ctx, r.path(Marriages), readMarriage)
}

// Object reads through the file of the kind: recordings have no index.
func (r *recording) Object(ctx context.Context, k bus.Kind, hash wire.Hash32) ([]byte, error) {
	switch k {
	case bus.KindATX:
		return search(r.ATXs(ctx), func(a *ATX) (wire.Hash32, []byte) { return wire.Hash32(a.ID), a.Blob }, hash)
	case bus.KindPoet:
		return search(r.PoetProofs(ctx), func(p *PoetProof) (wire.Hash32, []byte) { return wire.Hash32(p.Ref), p.Blob }, hash)
	case bus.KindMalfeasance:
		return search(r.Identities(ctx), func(i *Identity) (wire.Hash32, []byte) { return wire.Hash32(i.NodeID), i.Proof }, hash)
	case bus.KindActiveSet:
		return search(r.ActiveSets(ctx), func(s *ActiveSet) (wire.Hash32, []byte) { return s.ID, s.Blob }, hash)
	case bus.KindBallot:
		return search(r.Ballots(ctx), func(b *Ballot) (wire.Hash32, []byte) { return wire.Pad32(b.ID), b.Blob }, hash)
	case bus.KindBlock:
		return search(r.Blocks(ctx), func(b *Block) (wire.Hash32, []byte) { return wire.Pad32(b.ID), b.Blob }, hash)
	case bus.KindTransaction:
		return search(r.Transactions(ctx), func(t *Transaction) (wire.Hash32, []byte) { return wire.Hash32(t.ID), t.Raw }, hash)
	}
	return nil, nil
}

func search[T any](rows iter.Seq2[T, error], body func(*T) (wire.Hash32, []byte), hash wire.Hash32) ([]byte, error) {
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		if id, blob := body(&row); id == hash {
			return blob, nil
		}
	}
	return nil, nil
}
