package source

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Source is what another node held, and made of it. Iterators may be used more
// than once, and at the same time; an error ends them.
type Source interface {
	// Name is how the user named it.
	Name() string
	// Params are the numbers of the network that it comes from.
	Params() network.Params
	// Count is the number of rows of a kind.
	Count(k Kind) int

	PoetProofs(ctx context.Context) iter.Seq2[PoetProof, error]
	// ATXs ascend by publish epoch, then by the time of their arrival.
	ATXs(ctx context.Context) iter.Seq2[ATX, error]
	// ActiveSets and Beacons ascend by epoch.
	ActiveSets(ctx context.Context) iter.Seq2[ActiveSet, error]
	Beacons(ctx context.Context) iter.Seq2[Beacon, error]
	// Transactions that were never applied come first, then they ascend by
	// the layer in which they were.
	Transactions(ctx context.Context) iter.Seq2[Transaction, error]
	// The following ascend by layer.
	Ballots(ctx context.Context) iter.Seq2[Ballot, error]
	Blocks(ctx context.Context) iter.Seq2[Block, error]
	Certificates(ctx context.Context) iter.Seq2[Certificate, error]
	Layers(ctx context.Context) iter.Seq2[Layer, error]
	Accounts(ctx context.Context) iter.Seq2[Account, error]
	Rewards(ctx context.Context) iter.Seq2[Reward, error]
	// Identities and Marriages come in no particular order.
	Identities(ctx context.Context) iter.Seq2[Identity, error]
	Marriages(ctx context.Context) iter.Seq2[Marriage, error]

	// Object is the body of an object by the hash under which peers serve it;
	// nil if the source does not have it. It may be slow.
	Object(ctx context.Context, k bus.Kind, hash wire.Hash32) ([]byte, error)

	Close() error
}

// Kind is a kind of row; its value is the name of a recording's file.
type Kind string

// Every kind of row.
const (
	PoetProofs   Kind = "poet_proofs"
	ATXs         Kind = "atxs"
	ActiveSets   Kind = "activesets"
	Beacons      Kind = "beacons"
	Transactions Kind = "transactions"
	Ballots      Kind = "ballots"
	Blocks       Kind = "blocks"
	Certificates Kind = "certificates"
	Layers       Kind = "layers"
	Accounts     Kind = "accounts"
	Rewards      Kind = "rewards"
	Identities   Kind = "identities"
	Marriages    Kind = "marriages"
)

// Kinds lists them in the order in which reports show them.
func Kinds() []Kind {
	return []Kind{
		PoetProofs, ATXs, ActiveSets, Ballots, Blocks, Transactions, Certificates,
		Layers, Accounts, Rewards, Beacons, Identities, Marriages,
	}
}

// Place is where a row stands in its source.
type Place struct {
	// File is a file's name, or a table's.
	File string
	// Line counts from 1; in a table it is the row of the query.
	Line int
}

// String is the form in which editors jump to a line.
func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Error is a source that cannot be read or understood.
type Error struct {
	// Path is the source, or the file in it.
	Path string
	// Line is 0 where no line is to blame.
	Line int
	Err  error
}

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %v", e.Path, e.Line, e.Err)
	}
	return fmt.Sprintf("%s: %v", e.Path, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Open opens a recording's directory, or a database file. network describes the
// network of a database and is nil for a recording, whose manifest does.
func Open(ctx context.Context, path string, m *Manifest) (Source, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, &Error{Path: path, Err: plain(err)}
	}
	if st.IsDir() {
		if m != nil {
			return nil, &Error{Path: path, Err: fmt.Errorf("a recording describes its network itself, in %s", manifestFile)}
		}
		return openRecording(ctx, path)
	}
	if filepath.Base(path) == manifestFile {
		return nil, &Error{Path: path, Err: fmt.Errorf("name the recording's directory, not its %s", manifestFile)}
	}
	if m == nil {
		return nil, &Error{Path: path, Err: fmt.Errorf("a database does not say which network it is of; name it with --preset or --config")}
	}
	return openDatabase(ctx, path, m)
}

// plain drops the path from an error of the file system: the caller names it.
func plain(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
