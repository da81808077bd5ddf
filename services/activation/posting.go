package activation

import (
	"github.com/smeshery/smeshery/services/activation/internal/smeshing"
	"github.com/smeshery/smeshery/services/activation/internal/tasks"
)

// Space is where identities' proofs come from: post-services that are connected,
// and own post-workers if the configuration has them. It works while Run does.
func (s *Service) Space() smeshing.Space {
	return &tasks.Space{Queue: s.tasks, Workers: s.cfg.LocalSpace, Now: s.deps.Clock.Now}
}
