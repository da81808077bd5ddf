package apigateway

import (
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
	v1 "github.com/smeshery/smeshery/services/api-gateway/internal/v1"
)

// Hub is where a test makes things happen.
func (s *Service) Hub() *live.Hub { return s.hub }

// WithGiven puts constants in the place of what the node knows of its identities
// and of other nodes.
func (d Deps) WithGiven(s v1.Smeshing, n v1.Network, post network.PostParams) Deps {
	d.given = &given{s, n, post}
	return d
}
