package apigateway_test

import (
	"context"
	"encoding/base64"
	"errors"
	"sync"
	"testing"

	v1 "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/seedtest"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
	handlers "github.com/smeshery/smeshery/services/api-gateway/internal/v1"
)

// smeshing plays the identities of the vectors.
type smeshing struct {
	mu  sync.Mutex
	now handlers.SmeshingStatus
	ids []wire.NodeID
}

func newSmeshing(t testing.TB, seed *seedtest.Seed) *smeshing {
	provider := uint32(0)
	s := &smeshing{now: handlers.SmeshingStatus{
		Supervised: seed.Smesher.Supervised, Listens: true, Smeshing: seed.Smesher.IsSmeshing,
		Coinbase: seed.Address(t, seed.Smesher.Coinbase),
		State:    v1.PostSetupStatus_STATE_IN_PROGRESS, Labels: 1234567890123,
		Options: &handlers.Options{DataDir: "/post/data", NumUnits: 4, MaxFileSize: 4 << 30, ProviderID: &provider},
	}}
	for _, id := range seed.Smesher.IDs {
		s.ids = append(s.ids, wire.NodeID(id))
	}
	return s
}

func (s *smeshing) change(f func(*handlers.SmeshingStatus)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.now)
	return nil
}

func (s *smeshing) Status(context.Context) (now handlers.SmeshingStatus, err error) {
	return now, s.change(func(is *handlers.SmeshingStatus) { now = *is })
}

func (s *smeshing) Start(_ context.Context, coinbase wire.Address, _ handlers.Options) error {
	return s.change(func(is *handlers.SmeshingStatus) { is.Smeshing, is.Coinbase = true, coinbase })
}

func (s *smeshing) Stop(context.Context, bool) error {
	return s.change(func(is *handlers.SmeshingStatus) { is.Smeshing = false })
}

func (s *smeshing) SetCoinbase(_ context.Context, coinbase wire.Address) error {
	return s.change(func(is *handlers.SmeshingStatus) { is.Coinbase = coinbase })
}

func (*smeshing) Providers(_ context.Context, benchmark bool) ([]*v1.PostSetupProvider, error) {
	speed := uint64(0)
	if benchmark {
		speed = 4242
	}
	return []*v1.PostSetupProvider{
		{Id: 0, Model: "[GPU] Fake 1", DeviceType: v1.PostSetupProvider_DEVICE_CLASS_GPU, Performance: speed},
		{Id: 4294967295, Model: "[CPU] Fake 2", Performance: speed},
	}, nil
}

func (s *smeshing) Identities(context.Context) ([]wire.NodeID, error) { return s.ids, nil }

func (*smeshing) Steps(context.Context) ([]activation.IdentityStep, error) {
	id, err := base64.StdEncoding.DecodeString("bxWBcJu3se8DDSENsY47C6HHdvumXYzarQVBUULRifg=")
	return []activation.IdentityStep{{Node: wire.NodeID(id), Step: activation.StepProve}}, err
}

// others plays the network of the vectors.
type others struct{}

func (others) ConnectedPeers(context.Context) ([]*v1.PeerInfo, error) { return nil, nil }

func (others) Info(context.Context) (*v1.NetworkInfoResponse, error) {
	return &v1.NetworkInfoResponse{
		Id:              "12D3KooWPStnitMbLyWAGr32gHmPr538mT658Thp6zTUujZt3LRf",
		ListenAddresses: []string{"/ip4/0.0.0.0/tcp/7513", "/ip4/0.0.0.0/tcp/5000"}, KnownAddresses: []string{"/ip4/1.2.3.4/tcp/7513"},
		NatTypeUdp: v1.NetworkInfoResponse_Cone, NatTypeTcp: v1.NetworkInfoResponse_Symmetric,
		Reachability: v1.NetworkInfoResponse_Public, DhtServerEnabled: true,
	}, nil
}

func (others) ActiveSet(_ context.Context, epoch wire.EpochID) (set []wire.ATXID, err error) {
	if epoch != 3 {
		return nil, errors.New("no active set")
	}
	for _, text := range []string{"sEiD5WoVao3lY6+kZ9Sd7GpA6aHQB/AzwoIwYb3Q6qU=", "n45NpkMBBSINCyloi3NLjqDzypk26EYfENd8luqAp6Y="} {
		id, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, err
		}
		set = append(set, wire.ATXID(id))
	}
	return set, nil
}

// write changes rows as a schema's owner.
func (g *gateway) write(t testing.TB, schema, sql string, args ...any) {
	t.Helper()
	db := open(t, g.URL, schema)
	defer db.Close()
	_, err := db.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}
