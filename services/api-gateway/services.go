package apigateway

import (
	"slices"

	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/services/api-gateway/internal/serve"
	v1 "github.com/smeshery/smeshery/services/api-gateway/internal/v1"
	v2 "github.com/smeshery/smeshery/services/api-gateway/internal/v2"
)

// services are all that this process can serve, by their names in configurations.
func (s *Service) services() (serve.Catalogue, error) {
	given := given{smeshing: v1.Real{Node: s.node}, network: v1.Real{Node: s.node}, post: s.cfg.Network.Post}
	if s.deps.given != nil {
		given = *s.deps.given
	}
	return slices.Concat(
		v1.Services(v1.Config{
			Version: s.cfg.Version, Build: s.cfg.Build, Post: given.post, StatusInterval: s.cfg.SmesherStreamInterval,
			SendSize: s.cfg.SendSize, CheckpointDir: s.cfg.CheckpointDir,
		}, v1.Deps{
			Node: s.node, Live: s.hub, Smeshing: given.smeshing, Network: given.network, Logs: s.deps.Levels, Stop: s.deps.Stop,
		}),
		v2.Services(s.node, s.hub),
	), nil
}

// given is what the node knows of its identities and of other nodes. Tests replace
// it by constants.
type given struct {
	smeshing v1.Smeshing
	network  v1.Network
	post     network.PostParams
}
