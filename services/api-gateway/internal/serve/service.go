package serve

import (
	"context"
	"fmt"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
)

// Service is a gRPC service under the name that configurations use.
type Service struct {
	// Name is such as "account_v2alpha1" (spec 09 §2.1).
	Name string
	// GRPC adds it to a server. The same Service may be added to several.
	GRPC func(grpc.ServiceRegistrar)
	// JSON adds it to the gateway, in process; nil if it has no JSON form.
	JSON func(context.Context, *runtime.ServeMux) error
}

// Catalogue is all services that this process can serve.
type Catalogue []Service

// Choose finds a listener's services by their names. Names that are not known
// and names given twice are errors, in the words of spec 09 §2.1.
func (c Catalogue) Choose(listener string, names []string) ([]Service, error) {
	out := make([]Service, 0, len(names))
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] {
			return nil, fmt.Errorf("can't start more than one %s on %s grpc endpoint", name, listener)
		}
		seen[name] = true
		s, ok := c.find(name)
		if !ok {
			return nil, fmt.Errorf("unknown service %s", name)
		}
		out = append(out, s)
	}
	return out, nil
}

func (c Catalogue) find(name string) (Service, bool) {
	for _, s := range c {
		if s.Name == name {
			return s, true
		}
	}
	return Service{}, false
}
