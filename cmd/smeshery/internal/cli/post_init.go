package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata"
	"github.com/smeshery/smeshery/pkg/post/postdata/cpu"
	"github.com/smeshery/smeshery/pkg/post/postdata/nice"
	"github.com/smeshery/smeshery/pkg/wire"
)

type initFlags struct {
	*postFlags
	id, commitment *string
	units          *uint
	maxFileSize    *uint64
	from           *uint64
	to             *int64
	threads        *int
}

func postInit(ctx context.Context, e *env, args []string) (int, error) {
	f := &initFlags{postFlags: newPostFlags(e, "init", "--dir DIR [flags]",
		"Makes data on the processor's cores. What lies in the directory is continued; without\nan identity a new one is made, in identity.key. Interrupt at any time.")}
	f.id = f.set.String("id", "", "`identity`, in hex or base64")
	f.commitment = f.set.String("commitment", "", "`ATX` that the data is bound to, in hex or base64")
	f.units = f.set.Uint("num-units", 0, "`number` of units")
	f.maxFileSize = f.set.Uint64("max-file-size", 4<<30, "`bytes` of a label file")
	f.from = f.set.Uint64("from-file", 0, "first `file` to make")
	f.to = f.set.Int64("to-file", -1, "last `file` to make, -1 is all")
	f.threads = f.set.Int("threads", postThreads(), "`cores` to use")
	params, err := f.parse(args)
	if err != nil {
		return exitError, err
	}
	opts, err := f.options(params)
	if err != nil {
		return exitError, err
	}
	labels, _ := post.NumLabels(opts.NumUnits, opts.Params.LabelsPerUnit)
	bar := newBar(e, "labels", labels)
	opts.Progress = bar.to
	session, err := postdata.Open(*opts)
	if err != nil {
		return exitError, err
	}
	err = session.Run(ctx)
	bar.done()
	if errors.Is(err, postdata.ErrCanceled) {
		return exitInterrupted, err
	}
	if err != nil {
		return exitError, err
	}
	meta := session.Metadata()
	fmt.Fprintf(e.stdout, "%s holds %d units of %d labels for %s\n", *f.dir, meta.NumUnits, meta.LabelsPerUnit, meta.NodeID)
	if meta.Nonce != nil {
		fmt.Fprintf(e.stdout, "VRF nonce %d\n", *meta.Nonce)
	}
	return exitOK, nil
}

// options joins flags with what the directory says already.
func (f *initFlags) options(params post.Params) (*postdata.Options, error) {
	meta, err := f.metadata()
	if err != nil {
		return nil, err
	}
	o := &postdata.Options{
		Dir: *f.dir, Params: params, NumUnits: uint32(*f.units), MaxFileSize: *f.maxFileSize, BatchSize: 1 << 14,
		FromFile: *f.from, Engine: cpu.NewNice(*f.threads, nice.Initializing),
	}
	if *f.to >= 0 {
		to := uint64(*f.to)
		o.ToFile = &to
	}
	if meta != nil {
		if !f.given("num-units") {
			o.NumUnits = meta.NumUnits
		}
		if !f.given("max-file-size") {
			o.MaxFileSize = meta.MaxFileSize
		}
		if !f.given("labels-per-unit") {
			o.Params.LabelsPerUnit = meta.LabelsPerUnit
		}
	}
	if o.NumUnits == 0 {
		return nil, usagef("--num-units is missing")
	}
	if o.NodeID, err = f.identity(meta); err != nil {
		return nil, err
	}
	o.CommitmentATX, err = f.commits(meta)
	return o, err
}

// identity is whose data it is: flag, metadata and key must agree.
func (f *initFlags) identity(meta *post.Metadata) (id wire.NodeID, err error) {
	known := make(map[string]wire.NodeID)
	if *f.id != "" {
		if known["--id"], err = id32("id", *f.id); err != nil {
			return id, err
		}
	}
	if meta != nil {
		known[post.MetadataFile] = meta.NodeID
	}
	key, ok, err := f.key()
	if err != nil {
		return id, err
	}
	if ok {
		known[postKeyFile] = key
	}
	var whose string
	for _, name := range []string{"--id", post.MetadataFile, postKeyFile} {
		other, ok := known[name]
		switch {
		case !ok:
		case whose != "" && other != id:
			return id, fmt.Errorf("%s says identity %s, %s says %s", whose, id, name, other)
		default:
			id, whose = other, name
		}
	}
	if whose != "" {
		return id, nil
	}
	var seed [32]byte
	_, _ = rand.Read(seed[:]) // never fails
	return f.createKey(seed)
}

func (f *initFlags) commits(meta *post.Metadata) (id wire.ATXID, err error) {
	if *f.commitment == "" {
		if meta == nil {
			return id, usagef("--commitment is missing")
		}
		return meta.CommitmentATX, nil
	}
	given, err := id32("commitment", *f.commitment)
	if err == nil && meta != nil && meta.CommitmentATX != wire.ATXID(given) {
		err = fmt.Errorf("the data is bound to ATX %s, not to %x", meta.CommitmentATX, given)
	}
	return given, err
}

// bar shows how far something long is: one line that changes on a terminal, a
// line now and then elsewhere.
type bar struct {
	mu          sync.Mutex
	out         io.Writer
	live        bool
	what        string
	total, from uint64
	at          uint64
	began, told time.Time
}

func newBar(e *env, what string, total uint64) *bar {
	return &bar{out: e.stderr, live: e.terminal, what: what, total: total, began: time.Now(), told: time.Now()}
}

func (b *bar) to(at uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at == 0 {
		b.from = at
	}
	b.at = at
	every := 10 * time.Second
	if b.live {
		every = liveEvery
	}
	if time.Since(b.told) >= every {
		b.told = time.Now()
		b.show()
	}
}

func (b *bar) add(n uint64) { b.to(b.at + n) }

// show writes the line. The caller holds the lock.
func (b *bar) show() {
	speed := float64(b.at-min(b.from, b.at)) / time.Since(b.began).Seconds()
	line := fmt.Sprintf("%5.1f %% of %d %s, %.0f a second", 100*float64(b.at)/float64(max(b.total, 1)), b.total, b.what, speed)
	if speed > 0 && b.at < b.total {
		line += fmt.Sprintf(", %s left", time.Duration(float64(b.total-b.at)/speed*float64(time.Second)).Round(time.Second))
	}
	if b.live {
		fmt.Fprintf(b.out, "\r\x1b[K%s", line)
		return
	}
	fmt.Fprintln(b.out, line)
}

func (b *bar) done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.live && b.at > 0 {
		b.show()
		fmt.Fprintln(b.out)
	}
}
