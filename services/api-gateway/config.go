package apigateway

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/services/api-gateway/internal/serve"
)

// Config of the gateway. Start from DefaultConfig: an address or list that is
// empty means that the listener is off.
type Config struct {
	// Network is the network's numbers; required.
	Network network.Params `config:"-"`
	// EffectiveGenesis is set after a checkpoint: the layer before the restored
	// one. 0 is the network's own (spec 09 §3.5).
	EffectiveGenesis uint32 `config:"-"`
	// Version and Build are what NodeService tells.
	Version string `config:"-"`
	Build   string `config:"-"`

	// Addresses, host:port (spec 09 §2.1).
	PublicListener  string `config:"grpc-public-listener" usage:"host:port of public gRPC services"`
	PrivateListener string `config:"grpc-private-listener" usage:"host:port of private gRPC services"`
	PostListener    string `config:"grpc-post-listener" usage:"host:port for post-services; empty where another part of the node listens for them"`
	TLSListener     string `config:"grpc-tls-listener" usage:"host:port of services for clients with a certificate"`
	JSONListener    string `config:"grpc-json-listener" usage:"host:port of the public services as JSON over HTTP"`

	// Names of services (spec 09 §2.1).
	PublicServices  []string `config:"publicservices" usage:"services of the public listener"`
	PrivateServices []string `config:"privateservices" usage:"services of the private listener"`
	PostServices    []string `config:"postservices" usage:"services of the post listener"`
	TLSServices     []string `config:"grpc-tls-services" usage:"services of the tls listener"`

	// PEM files of the tls listener: clients must show a certificate of TLSCA.
	TLSCA   string `config:"grpc-tls-ca-cert" usage:"PEM file of the authority of clients' certificates"`
	TLSCert string `config:"grpc-tls-cert" usage:"PEM file of the server's certificate"`
	TLSKey  string `config:"grpc-tls-key" usage:"PEM file of the server's key"`

	// CORSOrigins may call the JSON gateway from browsers; "*" is all.
	CORSOrigins []string `config:"grpc-cors-allowed-origins" usage:"origins whose pages may call the JSON gateway"`

	ReceiveSize int `config:"grpc-recv-msg-size" usage:"largest request in bytes"`
	SendSize    int `config:"grpc-send-msg-size" usage:"largest response in bytes"`

	// QueryTimeout bounds a unary call.
	QueryTimeout time.Duration `config:"query-timeout" usage:"longest time a call may take"`
	// SmesherStreamInterval is how often SmesherService tells its status.
	SmesherStreamInterval time.Duration `config:"smesherstreaminterval" usage:"interval of the smesher's status stream"`

	// CheckpointDir keeps the checkpoints that operators ask for.
	CheckpointDir string `config:"checkpoint-dir" usage:"directory of checkpoints"`
}

// Names of the default sets. The v2beta1 services go where their v2alpha1
// counterparts go (spec 09 §4).
var (
	defaultPublic = []string{
		"global", "mesh", "transaction", "node", "activation",
		"activation_v2alpha1", "reward_v2alpha1", "network_v2alpha1", "node_v2alpha1", "layer_v2alpha1",
		"transaction_v2alpha1", "account_v2alpha1", "malfeasance_v2alpha1",
		"activation_v2beta1", "reward_v2beta1", "network_v2beta1", "node_v2beta1", "layer_v2beta1",
		"transaction_v2beta1", "account_v2beta1", "malfeasance_v2beta1",
	}
	defaultPrivate = []string{
		"admin", "smesher", "debug",
		"activation_stream_v2alpha1", "reward_stream_v2alpha1", "layer_stream_v2alpha1",
		"transaction_stream_v2alpha1", "malfeasance_stream_v2alpha1",
		"activation_stream_v2beta1", "reward_stream_v2beta1", "layer_stream_v2beta1",
		"transaction_stream_v2beta1", "malfeasance_stream_v2beta1",
	}
	defaultPost = []string{"post", "postInfo"}
)

// DefaultConfig has every default of spec 09 §2. The post listener is off: the
// part of the node that proves space opens it.
func DefaultConfig() Config {
	limits := serve.DefaultLimits()
	return Config{
		PublicListener:        "0.0.0.0:9092",
		PrivateListener:       "127.0.0.1:9093",
		PublicServices:        append([]string(nil), defaultPublic...),
		PrivateServices:       append([]string(nil), defaultPrivate...),
		PostServices:          append([]string(nil), defaultPost...),
		TLSServices:           append([]string(nil), defaultPost...),
		CORSOrigins:           []string{""},
		ReceiveSize:           limits.Receive,
		SendSize:              limits.Send,
		QueryTimeout:          30 * time.Second,
		SmesherStreamInterval: time.Second,
		CheckpointDir:         filepath.Join(os.TempDir(), "smeshery-checkpoints"),
	}
}

// Deps is what the gateway works with.
type Deps struct {
	// DB may read the tables of all services; 16 connections by default of
	// spec 09 §1.4.
	DB *store.DB
	// Bus is connected as bus.APIService.
	Bus *bus.Conn
	// Log and Registry may be nil.
	Log      *slog.Logger
	Registry prometheus.Registerer
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Levels are the log levels that DebugService changes, by their modules.
	Levels map[string]*slog.LevelVar
	// Stop ends the process, for AdminService.Recover; nil refuses to.
	Stop func()

	given *given
}

func (d *Deps) setDefaults() error {
	if d.DB == nil || d.Bus == nil {
		return errors.New("deps: DB and Bus are needed")
	}
	if d.Bus.Service() != bus.APIService {
		return fmt.Errorf("deps: the bus connection is %s, not %s", d.Bus.Service(), bus.APIService)
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Registry == nil {
		d.Registry = prometheus.NewRegistry()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return nil
}

func (c *Config) limits() serve.Limits {
	l := serve.DefaultLimits()
	l.Receive, l.Send = c.ReceiveSize, c.SendSize
	return l
}

// Validate tells everything that is wrong.
func (c *Config) Validate() error {
	var errs []error
	if err := c.limits().Validate(); err != nil {
		errs = append(errs, err)
	}
	if c.QueryTimeout <= 0 || c.SmesherStreamInterval <= 0 {
		errs = append(errs, errors.New("timeouts and intervals must be positive"))
	}
	if c.TLSListener != "" && (c.TLSCA == "" || c.TLSCert == "" || c.TLSKey == "") {
		errs = append(errs, errors.New("the tls listener needs grpc-tls-ca-cert, grpc-tls-cert and grpc-tls-key"))
	}
	if c.JSONListener != "" && len(c.PublicServices) == 0 {
		errs = append(errs, errors.New("start json server without public services"))
	}
	return errors.Join(errs...)
}

// tls reads the files of the tls listener.
func (c *Config) tls() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("tls certificate: %w", err)
	}
	pem, err := os.ReadFile(c.TLSCA)
	if err != nil {
		return nil, fmt.Errorf("tls authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls authority: no certificate in %s", c.TLSCA)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: pool,
		ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
	}, nil
}
