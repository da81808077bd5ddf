package cli

import (
	"context"
	"fmt"

	"github.com/smeshery/smeshery/services/activation"
)

func identityQuarantine(ctx context.Context, e *env, args []string) (int, error) {
	f := newIdentityFlags(e, "quarantine", "[flags]", `Has to follow every restore of the database, before anything runs on it. A backup
does not know what was signed after it, so nothing is signed any more for layers and
epochs that have begun, by any identity. That costs their rewards; to sign twice would
cost the identities. A repeat moves the end to now.`).withDatabase()
	reason := f.set.String("reason", "restored", "`text` that is kept with it")
	if err := f.parse(args, 0, 0); err != nil {
		return exitError, err
	}
	params, err := f.params()
	if err != nil {
		return exitError, err
	}
	db, done, err := f.open(ctx)
	if err != nil {
		return exitError, err
	}
	defer done()
	layer, epoch, err := activation.QuarantineRestored(ctx, db, &params, systemClock{}, *reason)
	if err != nil {
		return exitError, err
	}
	fmt.Fprintf(e.stdout, "nothing is signed for layers up to %d, and no ATX of epochs up to %d\n", layer, epoch)
	return exitOK, nil
}
