package node

import (
	"context"
	"time"
)

// How often Postgres is asked whether it is there, and how long it may take to answer.
const (
	watchEvery = time.Second
	watchLimit = 3 * time.Second
)

// watch says in the log when Postgres goes away, once instead of every service's every
// statement, and when it is back.
func (n *Node) watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var since time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asking, done := context.WithTimeout(ctx, watchLimit)
		err := n.reader.Ping(asking)
		done()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && since.IsZero():
			since = time.Now()
			n.log.Warn("postgres is away; everything waits for it", "err", err)
		case err == nil && !since.IsZero():
			n.log.Info("postgres is back", "away_s", time.Since(since).Seconds())
			since = time.Time{}
		}
	}
}
