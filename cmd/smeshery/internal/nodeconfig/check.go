package nodeconfig

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// CheckGenesis tells what is wrong with the genesis of a new data directory; the
// texts are go-spacemesh's.
func (c *Config) CheckGenesis() error {
	extra := c.Text("genesis.genesis-extra-data")
	switch {
	case extra == "":
		return errors.New("wait until genesis-extra-data is available")
	case len(extra) > 255:
		return fmt.Errorf("extra-data is longer than 255 symbols: %s", extra)
	}
	return nil
}

// GenesisID and GoldenATX of the network.
func (c *Config) genesis() network.Genesis {
	return network.Genesis{Time: c.GenesisTime(), ExtraData: c.Text("genesis.genesis-extra-data")}
}

// Problem is a setting that cannot be, with the flag or key that mends it.
type Problem struct{ Path, Text string }

// String names the flag if there is one.
func (p Problem) String() string {
	if s := byPath()[p.Path]; s != nil && s.flag != "" {
		return fmt.Sprintf("--%s (%s): %s", s.flag, p.Path, p.Text)
	}
	return p.Path + ": " + p.Text
}

// Problems are all that is wrong with a configuration.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}

// checker collects problems.
type checker struct {
	*Config
	found Problems
}

func (c *checker) bad(path, format string, args ...any) {
	c.found = append(c.found, Problem{path, fmt.Sprintf(format, args...)})
}

// Check tells everything for which a node would not start or a network could not
// live (spec 09 §11.3), without looking at the data directory.
func (c *Config) Check() error {
	k := &checker{Config: c}
	for _, n := range c.notes {
		if !strings.HasPrefix(n.Text, "the flag names") {
			k.bad(n.Path, "%s", n.Text)
		}
	}
	if err := c.CheckGenesis(); err != nil {
		k.bad("genesis.genesis-extra-data", "%s", err)
	}
	k.epochs()
	k.hare()
	k.beacon()
	k.post()
	k.poet()
	k.smeshing()
	k.listeners()
	k.elsewhere()
	k.logs()
	if len(k.found) > 0 {
		return k.found
	}
	return nil
}

func (c *checker) epochs() {
	layer, layers := c.Duration("main.layer-duration"), c.Uint("main.layers-per-epoch")
	if layer <= 0 {
		c.bad("main.layer-duration", "%v is no time", layer)
	}
	if layers == 0 || layers >= 1<<24 {
		c.bad("main.layers-per-epoch", "%d layers make no epoch", layers)
	}
	if c.Uint("hare-eligibility.eligibility-confidence-param") >= max(layers, 1) {
		c.bad("hare-eligibility.eligibility-confidence-param",
			"confidence param should be smaller than layers per epoch: %d, and an epoch has %d layers; take fewer with --eligibility-confidence-param, or more --layers-per-epoch",
			c.Uint("hare-eligibility.eligibility-confidence-param"), layers)
	}
	if c.Uint("main.tick-size") == 0 {
		c.bad("main.tick-size", "a tick has at least one leaf")
	}
	if hrp := c.Text("main.network-hrp"); hrp == "" || strings.ToLower(hrp) != hrp {
		c.bad("main.network-hrp", "%q is no prefix of addresses", hrp)
	}
}

// hare checks that both versions of hare end in time.
func (c *checker) hare() {
	for _, h := range []string{"hare3", "hare4"} {
		if !c.Bool(h + ".enable") {
			continue
		}
		round, preround := c.Duration(h+".round-duration"), c.Duration(h+".preround-delay")
		if round <= 0 || preround < 0 {
			c.bad(h+".round-duration", "rounds of %v after %v", round, preround)
			continue
		}
		if c.Uint(h+".disable-layer") <= c.Uint(h+".enable-layer") {
			c.bad(h+".disable-layer", "disabled layer (%d) must be larger than enabled (%d)", c.Uint(h+".disable-layer"), c.Uint(h+".enable-layer"))
		}
		p := hare.Params{HareParams: c.hareParams(h)}
		end := p.RoundStart(wire.IterRound{Iter: p.IterationsLimit, Round: wire.Hardlock})
		allowed := time.Duration(c.Uint("tortoise.tortoise-zdist")) * c.Duration("main.layer-duration")
		if h == "hare3" && end > allowed {
			c.bad("main.layer-duration", "hare terminates later (%v) than expected (%v): %d iterations of rounds of %v after %v do not fit into %d layers; "+
				"make layers longer, or set %s.round-duration, %s.preround-delay or %s.iterations-limit lower in a --config file",
				end, allowed, p.IterationsLimit, round, preround, c.Uint("tortoise.tortoise-zdist"), h, h, h)
		}
		if c.Uint(h+".committee") == 0 {
			c.bad(h+".committee", "hare needs a committee")
		}
	}
}

// beacon checks that an epoch is long enough to agree on the next one's beacon, without
// which it has no ballots.
func (c *checker) beacon() {
	layer, layers := c.Duration("main.layer-duration"), c.Uint("main.layers-per-epoch")
	if layer <= 0 || layers == 0 || layers >= 1<<24 {
		return // told already
	}
	const prefix = "beacon.beacon-"
	parts := make(map[string]time.Duration)
	for _, name := range []string{"proposal-duration", "first-voting-round-duration", "voting-round-duration", "weak-coin-round-duration"} {
		parts[name] = c.Duration(prefix + name)
		if parts[name] <= 0 {
			c.bad(prefix+name, "%v is no time", parts[name])
			return
		}
	}
	rounds := c.Uint(prefix + "rounds-number")
	if rounds == 0 {
		return // the beacon is switched off
	}
	later := min(rounds, 1<<20) - 1
	round := parts["voting-round-duration"] + parts["weak-coin-round-duration"]
	takes := parts["proposal-duration"] + parts["first-voting-round-duration"] + time.Duration(later)*round
	if epoch := layer * time.Duration(layers); takes >= epoch {
		c.bad("main.layers-per-epoch", "the beacon takes %v, but an epoch of %d layers of %v is only %v: take more layers or longer ones, "+
			"or set the durations of the section beacon lower in a --config file", takes, layers, layer, epoch)
	}
}

// elsewhere checks where servers of others are.
func (c *checker) elsewhere() {
	if text := c.Text("smeshery.database"); text != "" {
		if _, err := pgconn.ParseConfig(text); err != nil {
			c.bad("smeshery.database", "%v; give a URL such as postgres://smeshery@127.0.0.1/smeshery", err)
		}
	}
	for text := range strings.SplitSeq(c.Text("smeshery.nats"), ",") {
		if u, err := url.Parse(text); text != "" && (err != nil || u.Host == "" || u.Scheme == "") {
			c.bad("smeshery.nats", "%q is no URL such as nats://127.0.0.1:4222", text)
		}
	}
}

func (c *checker) post() {
	low, high := c.Uint("post.post-min-numunits"), c.Uint("post.post-max-numunits")
	if low == 0 || low > high {
		c.bad("post.post-min-numunits", "%d, where the most is %d", low, high)
	}
	if n := c.Uint("smeshing.smeshing-opts.smeshing-opts-numunits"); c.Bool("smeshing.smeshing-start") && (n < low || n > high) {
		c.bad("smeshing.smeshing-opts.smeshing-opts-numunits", "%d units, where this network allows %d to %d", n, low, high)
	}
	if c.Uint("post.post-labels-per-unit") == 0 {
		c.bad("post.post-labels-per-unit", "a unit has at least one label")
	}
	if c.Uint("post.post-k2") == 0 || c.Uint("post.post-k1") == 0 {
		c.bad("post.post-k2", "k1 and k2 are at least 1")
	}
	if s := c.Uint("smeshing.smeshing-opts.smeshing-opts-scrypt.n"); s < 2 || s&(s-1) != 0 {
		c.bad("smeshing.smeshing-opts.smeshing-opts-scrypt.n", "%d is no power of two", s)
	}
	for _, name := range []string{"r", "p"} {
		path := "smeshing.smeshing-opts.smeshing-opts-scrypt." + name
		if c.Uint(path) != 1 {
			c.bad(path, "only 1 is supported")
		}
	}
}

func (c *checker) poet() {
	epoch := c.Duration("main.layer-duration") * time.Duration(min(c.Uint("main.layers-per-epoch"), 1<<24))
	gap, shift := c.Duration("poet.cycle-gap"), c.Duration("poet.phase-shift")
	if gap >= epoch {
		c.bad("poet.cycle-gap", "%v, but an epoch is only %v: the PoET would never work", gap, epoch)
	}
	if gap <= 0 {
		c.bad("poet.cycle-gap", "identities need time between two rounds of a PoET")
	}
	if shift < 0 || shift >= epoch {
		c.bad("poet.phase-shift", "%v is not within an epoch of %v", shift, epoch)
	}
	if grace := c.Duration("poet.grace-period"); grace < 0 || grace >= gap && gap > 0 {
		c.bad("poet.grace-period", "%v, where the cycle gap is %v", grace, gap)
	}
	if c.Bool("main.standalone") && len(c.Poets()) != 1 {
		c.bad("main.poet-servers", "to launch in a standalone mode provide single local address for poet: %d are given", len(c.Poets()))
	}
	for i, p := range c.Poets() {
		if !strings.HasPrefix(p.Address, "http://") && !strings.HasPrefix(p.Address, "https://") {
			c.bad("main.poet-servers", "address %d, %q, is no URL such as https://poet.example", i, p.Address)
		}
	}
}

func (c *checker) smeshing() {
	coinbase := c.Text("smeshing.smeshing-coinbase")
	if coinbase == "" {
		if c.Bool("smeshing.smeshing-start") {
			c.bad("smeshing.smeshing-coinbase", "smeshing enabled but no coinbase account provided")
		}
		return
	}
	if _, err := address.Parse(c.Text("main.network-hrp"), coinbase); err != nil {
		c.bad("smeshing.smeshing-coinbase", "parse CoinbaseAccount address on start `%s`: %s", coinbase, err)
	}
}

// Services that a listener may serve.
var services = []string{
	"global", "mesh", "transaction", "node", "activation", "admin", "smesher", "debug", "post", "postInfo",
	"activation_v2alpha1", "reward_v2alpha1", "network_v2alpha1", "node_v2alpha1", "layer_v2alpha1", "transaction_v2alpha1", "account_v2alpha1",
	"malfeasance_v2alpha1", "activation_stream_v2alpha1", "reward_stream_v2alpha1", "layer_stream_v2alpha1", "transaction_stream_v2alpha1",
	"malfeasance_stream_v2alpha1", "activation_v2beta1", "reward_v2beta1", "network_v2beta1", "node_v2beta1", "layer_v2beta1", "transaction_v2beta1",
	"account_v2beta1", "malfeasance_v2beta1", "activation_stream_v2beta1", "reward_stream_v2beta1", "layer_stream_v2beta1",
	"transaction_stream_v2beta1", "malfeasance_stream_v2beta1",
}

func (c *checker) listeners() {
	for _, path := range []string{
		"api.grpc-public-listener", "api.grpc-private-listener", "api.grpc-post-listener", "api.grpc-tls-listener", "api.grpc-json-listener",
		"smeshery.poet-listener", "smeshery.metrics-listener",
	} {
		if text := c.Text(path); text != "" {
			if _, _, err := net.SplitHostPort(text); err != nil {
				c.bad(path, "%q is no address such as 127.0.0.1:9092", text)
			}
		}
	}
	for listener, path := range map[string]string{
		"public": "api.publicservices", "private": "api.privateservices", "post": "api.postservices", "tls": "api.grpc-tls-services",
	} {
		list := c.Strings(path)
		for i, name := range list {
			if !slices.Contains(services, name) {
				c.bad(path, "unknown service %s", name)
			}
			if slices.Contains(list[:i], name) {
				c.bad(path, "can't start more than one %s on %s grpc endpoint", name, listener)
			}
		}
	}
	slices.SortFunc(c.found, func(a, b Problem) int { return strings.Compare(a.Path, b.Path) })
}

func (c *checker) logs() {
	for _, s := range settings() {
		if strings.HasPrefix(s.path, "logging.") && s.path != "logging.log-encoder" && !logLevel(c.Text(s.path)) {
			c.bad(s.path, "%q is no level", c.Text(s.path))
		}
	}
	if e := c.Text("logging.log-encoder"); e != "console" && e != "json" {
		c.bad("logging.log-encoder", "%q is neither console nor json", e)
	}
	if l := c.Text("smeshery.log-level"); !logLevel(l) {
		c.bad("smeshery.log-level", "%q is no level", l)
	}
}
