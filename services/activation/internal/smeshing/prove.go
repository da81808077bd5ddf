package smeshing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/post"
	read "github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
)

// errProof: what came back from the data's owner is no proof for the network.
var errProof = errors.New("space: proof is not usable")

// prove makes the proof of space on the PoET's (spec 04 §5.10).
func (l *life) prove(ctx context.Context, c *challenge, initial *initialPost, abort time.Time) (*nipost, error) {
	l.show(ctx, read.StepProve, c.Publish, abort)
	if c.Initial != nil {
		if err := l.recheckInitial(ctx, c, initial); err != nil {
			return nil, err
		}
	}
	proof, err := l.proveSpace(ctx, wire.Hash32(*c.Ref), abort)
	if err != nil {
		return nil, err
	}
	n := &nipost{
		Post: proof.Post, LabelsPerUnit: proof.Info.LabelsPerUnit, Units: proof.Info.Units,
		VRFNonce: *proof.Info.Nonce, Coinbase: l.Coinbase(),
	}
	err = l.tx(ctx, "nipost", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO niposts (node_id, nonce, indices, pow, labels_per_unit, units, vrf_nonce, coinbase)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, l.id[:], int64(n.Post.Nonce), n.Post.Indices, int64(n.Post.Pow),
			int64(n.LabelsPerUnit), int64(n.Units), int64(n.VRFNonce), n.Coinbase[:])
		return err
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}

// recheckInitial looks whether the first proof still fits the data, which may have
// been made anew.
func (l *life) recheckInitial(ctx context.Context, c *challenge, initial *initialPost) error {
	info, ok, err := l.deps.Space.Info(ctx, l.id)
	if err != nil || !ok {
		return err // without data the proof waits for it
	}
	if initial != nil && info.Commitment == initial.Commitment && info.Units == initial.Units {
		return nil // it was verified with these
	}
	valid, err := l.checkInitial(c.Initial, info.Commitment, info.Units)
	if err == nil && (!valid || info.Commitment != *c.Commitment) {
		return errInitialPost
	}
	return err
}

// proveSpace has a challenge proved and looks at what comes back as the network
// will.
func (l *life) proveSpace(ctx context.Context, challenge wire.Hash32, abort time.Time) (SpaceProof, error) {
	l.say(ctx, challenge.String(), &events.PostStart{Node: l.id, Challenge: challenge})
	ctx, cancel := l.deps.Alarm.Until(ctx, abort)
	defer cancel()
	proof, err := l.deps.Space.Prove(ctx, l.id, challenge, abort)
	if err == nil {
		err = l.usable(challenge, &proof)
	}
	if ctx.Err() != nil {
		return proof, context.Cause(ctx)
	}
	key := challenge.String()
	if err != nil {
		key += fmt.Sprintf("/%d", l.now().UnixNano())
	}
	l.say(ctx, key, &events.PostComplete{Node: l.id, Challenge: challenge, Failed: err != nil})
	if err != nil {
		return proof, fmt.Errorf("prove space: %w", err)
	}
	return proof, nil
}

func (l *life) usable(challenge wire.Hash32, proof *SpaceProof) error {
	i := &proof.Info
	switch {
	case i.Node != l.id:
		return fmt.Errorf("%w: it is for identity %v", errProof, i.Node)
	case i.Nonce == nil:
		return fmt.Errorf("%w: the data has no VRF nonce", errProof)
	case i.LabelsPerUnit != l.cfg.Network.Post.LabelsPerUnit:
		return fmt.Errorf("%w: %d labels per unit", errProof, i.LabelsPerUnit)
	}
	nonce, err := l.deps.Verify.Nonce(&post.NonceClaim{
		NodeID: l.id, CommitmentATX: i.Commitment, NumUnits: i.Units, LabelsPerUnit: i.LabelsPerUnit, Nonce: *i.Nonce,
	})
	if err != nil {
		return err
	}
	if !nonce {
		return fmt.Errorf("%w: the VRF nonce is not valid", errProof)
	}
	valid, err := l.valid(&proof.Post, post.Statement{
		NodeID: l.id, CommitmentATX: i.Commitment, Challenge: challenge, NumUnits: i.Units,
	})
	if err == nil && !valid {
		return fmt.Errorf("%w: it is not valid", errProof)
	}
	return err
}
