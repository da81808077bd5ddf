package activation

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

//go:embed steps.sql
var stepsSQL string

// Step is where an identity is in its life (spec 04 §5.2).
type Step string

// Steps in their order.
const (
	StepWaitData    Step = "waiting_for_data"
	StepInit        Step = "initialising"
	StepInitialPost Step = "initial_proof"
	StepWaitSync    Step = "waiting_for_sync"
	StepWaitWindow  Step = "waiting_for_window"
	StepRegister    Step = "registering"
	StepWaitPoet    Step = "waiting_for_poet"
	StepProve       Step = "proving"
	StepWaitPublish Step = "waiting_to_publish"
	StepPublish     Step = "publishing"
	StepPublished   Step = "published"
)

// Proving tells whether a proof of space is wanted in the step: the state that
// PostInfoService reports (spec 04 §6.6).
func (s Step) Proving() bool { return s == StepInitialPost || s == StepProve }

// IdentityStep is an identity's present step.
type IdentityStep struct {
	Node wire.NodeID
	// Name is that of the key file.
	Name    string
	Step    Step
	Publish wire.EpochID
	// Until is when the step is expected to end; zero if nobody knows.
	Until time.Time
	Since time.Time
	// Note is why the identity does not go on, if it does not.
	Note string
}

// Steps reads where the identities are, in the order of their names.
func Steps(ctx context.Context, q store.Querier) ([]IdentityStep, error) {
	rows, err := q.Query(ctx, stepsSQL)
	if err != nil {
		return nil, fmt.Errorf("read steps: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s IdentityStep, err error) {
		var node []byte
		var publish, until int64
		if err = row.Scan(&node, &s.Name, &s.Step, &publish, &until, &s.Note, &s.Since); err != nil {
			return s, err
		}
		s.Node, s.Publish = wire.NodeID(node), wire.EpochID(publish)
		if until != 0 {
			s.Until = time.Unix(0, until)
		}
		return s, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read steps: %w", err)
	}
	return out, nil
}
