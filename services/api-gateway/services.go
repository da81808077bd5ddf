package apigateway

import (
	"slices"

	"github.com/smeshery/smeshery/services/api-gateway/internal/serve"
	"github.com/smeshery/smeshery/services/api-gateway/internal/v2"
)

// services are all that this process can serve, by their names in configurations.
func (s *Service) services() (serve.Catalogue, error) {
	return slices.Concat(
		v2.Services(s.node, s.hub),
	), nil
}
