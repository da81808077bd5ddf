package peer

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestVectorPrologue(t *testing.T) {
	vectors.Run(t, "p2p/prologue", func(t *testing.T, c struct {
		Time      string       `json:"genesis_time_unix"`
		Extra     string       `json:"genesis_extra_data"`
		Layers    uint32       `json:"layers_per_epoch"`
		Effective wire.LayerID `json:"effective_genesis"`
		Genesis   vectors.Hex  `json:"genesis_id"`
		Golden    vectors.Hex  `json:"golden_atx"`
		Prologue  string       `json:"prologue"`
	},
	) {
		seconds, err := strconv.ParseInt(c.Time, 10, 64)
		require.NoError(t, err)
		genesis := network.Genesis{Time: time.Unix(seconds, 0), ExtraData: c.Extra}
		require.Equal(t, wire.Hash20(c.Genesis), genesis.ID())
		require.Equal(t, wire.ATXID(c.Golden), genesis.GoldenATX())
		require.Equal(t, c.Prologue, Prologue(genesis.ID(), c.Effective))
	})
}

func TestVectorIdentityAndPeersFiles(t *testing.T) {
	vectors.Run(t, "p2p/identity_and_peers_files", func(t *testing.T, c struct {
		Op       string      `json:"op"`
		Seed     vectors.Hex `json:"ed25519_seed"`
		File     string      `json:"file"`
		Hex      vectors.Hex `json:"file_hex"`
		ID       string      `json:"peer_id"`
		IDBytes  vectors.Hex `json:"peer_id_bytes"`
		Public   vectors.Hex `json:"public_key"`
		Protobuf vectors.Hex `json:"private_key_protobuf"`
		OK       bool        `json:"ok"`
		Peers    []struct {
			ID    string   `json:"id"`
			Addrs []string `json:"addrs"`
		} `json:"peers"`
	},
	) {
		switch c.Op {
		case "key_file":
			key := NewHostKey([32]byte(c.Seed))
			require.Equal(t, c.Public.Array32(), key.Public())
			require.Equal(t, []byte(c.Protobuf), key.Protobuf())
			require.Equal(t, string(c.IDBytes), string(key.ID()))
			require.Equal(t, c.ID, key.ID().String())
			require.Equal(t, c.File, string(key.File()))
			loaded, err := ParseKeyFile([]byte(c.File))
			require.NoError(t, err)
			require.Equal(t, key, loaded)
		case "load_key_file":
			key, err := ParseKeyFile([]byte(c.File))
			require.Equal(t, c.OK, err == nil, "%v", err)
			if c.OK {
				require.Equal(t, c.ID, key.ID().String())
			}
		case "load_connected":
			peers, err := ParsePeersFile(c.Hex)
			require.Equal(t, c.OK, err == nil, "%v", err)
			if !c.OK {
				return
			}
			require.Len(t, peers, len(c.Peers))
			for i, p := range c.Peers {
				require.Equal(t, p.ID, peers[i].ID.String())
				require.Equal(t, p.Addrs, peers[i].Addrs)
			}
			raw, err := EncodePeersFile(peers)
			require.NoError(t, err)
			require.Equal(t, []byte(c.Hex), raw)
		default:
			t.Fatalf("unknown op %q", c.Op)
		}
	})
}

func TestVectorGater(t *testing.T) {
	vectors.Run(t, "p2p/gater", func(t *testing.T, c struct {
		Address string `json:"address"`
		Allowed bool   `json:"dial_allowed"`
		High    *int   `json:"high_peers"`
		Accept  int    `json:"accept_while_peers_at_most"`
		Dial    int    `json:"dial_while_peers_at_most"`
	},
	) {
		if c.High == nil {
			require.Equal(t, c.Allowed, Dialable(c.Address))
			return
		}
		limits := NewConnectionLimits(*c.High, DefaultInboundFraction, DefaultOutboundFraction)
		require.True(t, limits.MayAccept(c.Accept))
		require.False(t, limits.MayAccept(c.Accept+1))
		require.True(t, limits.MayDial(c.Dial, false))
		require.False(t, limits.MayDial(c.Dial+1, false))
		require.True(t, limits.MayDial(c.Dial+1, true))
	})
}

func TestVectorIdentify(t *testing.T) {
	options := map[string]HostOptions{
		"default tcp":                        {},
		"relay enabled":                      {Relay: true},
		"relay server":                       {Relay: true, RelayServer: true},
		"reachability private, holepunching": {Relay: true, HolePunching: true, Reachability: ReachabilityPrivate},
		"force dht server":                   {ForceDHTServer: true},
		"bootnode":                           {Bootnode: true},
		"dht disabled":                       {DisableDHT: true},
	}
	vectors.Run(t, "p2p/identify", func(t *testing.T, c struct {
		Name      string   `json:"name"`
		Agent     string   `json:"agent_version"`
		Version   string   `json:"protocol_version"`
		Protocols []string `json:"protocols_sorted"`
		Security  string   `json:"security"`
		Muxer     string   `json:"muxer"`
		Early     bool     `json:"early_muxer_negotiation"`
		Record    bool     `json:"has_signed_peer_record"`
	},
	) {
		o, ok := options[c.Name]
		require.True(t, ok, c.Name)
		require.Equal(t, c.Protocols, o.Protocols())
		require.Equal(t, c.Record, o.HasPeerRecord())
		require.Equal(t, c.Agent, AgentVersion)
		require.Equal(t, c.Version, ProtocolVersion)
		require.Equal(t, c.Security, Security)
		require.Equal(t, c.Muxer, Muxer)
		require.False(t, c.Early)
	})
}

func TestVectorQUICCookie(t *testing.T) {
	vectors.Run(t, "p2p/quic_cookie", func(t *testing.T, c struct {
		Op        string      `json:"op"`
		Cookie    vectors.Hex `json:"cookie"`
		Expected  vectors.Hex `json:"expected_cookie"`
		Stream    vectors.Hex `json:"stream"`
		OK        bool        `json:"ok"`
		Retryable bool        `json:"retryable"`
		Match     bool        `json:"match"`
	},
	) {
		if c.Op == "write" {
			require.Equal(t, []byte(c.Stream), AppendCookie(nil, c.Cookie))
			return
		}
		cookie, err := ReadCookie(bytes.NewReader(c.Stream))
		require.Equal(t, c.OK, err == nil, "%v", err)
		if !c.OK {
			require.Equal(t, c.Retryable, Retryable(err))
			return
		}
		require.Equal(t, c.Cookie.String(), hex.EncodeToString(cookie))
		require.Equal(t, c.Match, CheckCookie(c.Expected, cookie) == nil)
	})
}

func TestVectorGossipMessageID(t *testing.T) {
	vectors.Run(t, "p2p/gossip_message_id", func(t *testing.T, c struct {
		Topic   string      `json:"topic"`
		Data    vectors.Hex `json:"data"`
		ID      vectors.Hex `json:"message_id"`
		Message vectors.Hex `json:"message_protobuf"`
		RPC     vectors.Hex `json:"rpc_protobuf"`
	},
	) {
		require.Equal(t, wire.Hash32(c.ID), MessageID(c.Topic, c.Data))
		if c.Message != nil {
			require.Equal(t, []byte(c.Message), AppendMessage(nil, c.Topic, c.Data))
			require.Equal(t, []byte(c.RPC), AppendRPC(nil, c.Topic, c.Data))
		}
	})
}

func TestVectorStreamFraming(t *testing.T) {
	vectors.Run(t, "p2p/stream_framing", func(t *testing.T, c struct {
		Op       string       `json:"op"`
		Payload  *vectors.Hex `json:"payload"`
		Length   int          `json:"payload_length"`
		Frame    vectors.Hex  `json:"frame"`
		Prefix   vectors.Hex  `json:"frame_prefix"`
		Error    bool         `json:"error"`
		Response vectors.Hex  `json:"response"`
		Got      vectors.Hex  `json:"response_data"`

		Data        vectors.Hex `json:"data"`
		Text        string      `json:"error_text"`
		Encoded     vectors.Hex `json:"encoded"`
		EncodeFails bool        `json:"encode_fails"`
		TextLength  int         `json:"error_length"`

		Limit       int         `json:"limit"`
		StreamIn    vectors.Hex `json:"stream_in"`
		InPrefix    vectors.Hex `json:"stream_in_prefix"`
		Zeros       int         `json:"stream_in_zero_bytes_after_prefix"`
		StreamOut   vectors.Hex `json:"stream_out"`
		Called      bool        `json:"handler_called"`
		InputLength int         `json:"handler_input_length"`
		Closed      bool        `json:"connection_closed_by_server"`
	},
	) {
		switch c.Op {
		case "request":
			payload := make([]byte, c.Length)
			if c.Payload != nil {
				payload = *c.Payload
			}
			frame, err := AppendRequest(nil, payload, MaxRequest)
			require.Equal(t, c.Error, err != nil)
			if c.Error {
				return
			}
			require.Equal(t, []byte(c.Prefix), frame[:len(frame)-len(payload)])
			if c.Frame != nil {
				require.Equal(t, []byte(c.Frame), frame)
			}
			if c.Response != nil {
				var response wire.ServerResponse
				require.NoError(t, codec.Decode(c.Response, &response))
				require.Equal(t, wire.ServerResponse{Data: c.Got}, response)
			}
		case "response":
			response := wire.ServerResponse{Data: c.Data, Error: c.Text}
			if c.EncodeFails {
				response.Error = string(make([]byte, c.TextLength))
			}
			raw, err := codec.Encode(&response)
			require.Equal(t, c.EncodeFails, err != nil)
			if err == nil {
				require.Equal(t, []byte(c.Encoded), raw)
			}
		case "serve":
			in := slices.Concat(c.StreamIn, c.InPrefix, make([]byte, c.Zeros))
			request, err := ReadRequest(bytes.NewReader(in), c.Limit)
			require.Equal(t, c.Called, err == nil, "%v", err)
			require.Equal(t, c.Closed, errors.Is(err, ErrDisconnect))
			require.Len(t, request, c.InputLength)
			if err != nil {
				require.Empty(t, c.StreamOut)
				return
			}
			response := wire.ServerResponse{Data: []byte{byte(len(request))}}
			if len(request) == 0 {
				response = wire.ServerResponse{Error: "empty"}
			}
			require.Equal(t, []byte(c.StreamOut), codec.MustEncode(&response))
		default:
			t.Fatalf("unknown op %q", c.Op)
		}
	})
}

func TestVectorPeersync(t *testing.T) {
	vectors.Run(t, "p2p/peersync", func(t *testing.T, c struct {
		Op        string         `json:"op"`
		ID        vectors.Uint64 `json:"id"`
		Timestamp vectors.Uint64 `json:"timestamp_ns"`
		Request   vectors.Hex    `json:"request"`
		Response  vectors.Hex    `json:"response"`
		Round     vectors.Uint64 `json:"round_id"`
		Start     vectors.Uint64 `json:"start_ns"`
		Required  int            `json:"required"`
		Ready     bool           `json:"ready"`
		Offset    string         `json:"offset_ns"`
		Responses []struct {
			ID        vectors.Uint64 `json:"id"`
			Timestamp vectors.Uint64 `json:"timestamp_ns"`
			Received  vectors.Uint64 `json:"received_ns"`
		} `json:"responses"`
	},
	) {
		if c.Op == "encode" {
			request := wire.PeerTimeRequest{ID: uint64(c.ID)}
			response := wire.PeerTimeResponse{ID: uint64(c.ID), Timestamp: uint64(c.Timestamp)}
			require.Equal(t, []byte(c.Request), codec.MustEncode(&request))
			require.Equal(t, []byte(c.Response), codec.MustEncode(&response))
			return
		}
		round := NewTimeRound(uint64(c.Round), time.Unix(0, int64(c.Start)))
		for _, r := range c.Responses {
			round.Add(uint64(r.ID), uint64(r.Timestamp), time.Unix(0, int64(r.Received)))
		}
		require.Equal(t, c.Ready, round.Ready(c.Required))
		require.Equal(t, c.Offset, strconv.FormatInt(int64(round.Offset()), 10))
	})
}

func TestVectorFetchPeers(t *testing.T) {
	vectors.Run(t, "p2p/fetch_peers", func(t *testing.T, c struct {
		Events []struct {
			Op      string        `json:"op"`
			Peer    string        `json:"peer"`
			Latency time.Duration `json:"latency_ns"`
			Size    int           `json:"size"`
		} `json:"events"`
		Best     []string `json:"best5"`
		Order    []string `json:"order"`
		From     []string `json:"select_from"`
		Selected string   `json:"selected"`
	},
	) {
		ranking := NewRanking()
		for _, e := range c.Events {
			switch e.Op {
			case "add":
				ranking.Connect(ID(e.Peer))
			case "delete":
				ranking.Disconnect(ID(e.Peer))
			case "success", "failure":
				ranking.Requested(ID(e.Peer), e.Latency, e.Size, e.Op == "success")
			default:
				t.Fatalf("unknown op %q", e.Op)
			}
		}
		require.Equal(t, ids(c.Order), ranking.Order())
		require.Equal(t, ids(c.Best), ranking.Best(RedundantPeers))
		selected, _ := ranking.BestOf(ids(c.From))
		require.Equal(t, ID(c.Selected), selected)
	})
}

func ids(names []string) (out []ID) {
	for _, n := range names {
		out = append(out, ID(n))
	}
	return out
}

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte{3, 1, 2, 3, 4})
	f.Add([]byte{0x83, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := bytes.NewReader(raw)
		request, err := ReadRequest(r, MaxRequest)
		if err != nil {
			return
		}
		frame, err := AppendRequest(nil, request, MaxRequest)
		require.NoError(t, err)
		rest, _ := io.ReadAll(r)
		require.True(t, bytes.Equal(raw, append(frame, rest...)), "only one form is read")
	})
}

func FuzzReadCookie(f *testing.F) {
	f.Add(AppendCookie(nil, []byte("red")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if cookie, err := ReadCookie(bytes.NewReader(raw)); err == nil {
			require.True(t, bytes.HasPrefix(raw, AppendCookie(nil, cookie)))
		}
	})
}

func FuzzParseFiles(f *testing.F) {
	key := NewHostKey([32]byte{1})
	f.Add(key.File())
	peers, _ := EncodePeersFile([]KnownPeer{{key.ID(), []string{"/ip4/1.2.3.4/tcp/5"}}})
	f.Add(peers)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if k, err := ParseKeyFile(raw); err == nil {
			again, err := ParseKeyFile(k.File())
			require.NoError(t, err)
			require.Equal(t, k, again)
		}
		_, _ = ParsePeersFile(raw)
	})
}

func FuzzParseID(f *testing.F) {
	f.Add(NewHostKey([32]byte{1}).ID().String())
	f.Add("11")
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := ParseID(text); err == nil {
			require.Equal(t, text, id.String())
		}
		Dialable(text)
	})
}

// FuzzDialable compares with the standard library's addresses.
func FuzzDialable(f *testing.F) {
	for _, seed := range []string{"127.0.0.1", "8.8.8.8", "::1", "fe80::1:2", "fd00::", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8", "::", "1::1.2.3.4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ip, err := netip.ParseAddr(text)
		if strings.ContainsAny(text, "/%") {
			return
		}
		allowed := true
		for _, prefix := range []string{
			"127.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
			"::1/128", "fc00::/7", "fe80::/10",
		} {
			if err == nil && netip.MustParsePrefix(prefix).Contains(ip) {
				allowed = false
			}
		}
		if err == nil {
			require.Equal(t, allowed, Dialable("/ip"+map[bool]string{true: "4", false: "6"}[ip.Is4()]+"/"+text+"/tcp/1"))
		}
		_, ok4 := parseIP4(text)
		require.Equal(t, err == nil && ip.Is4(), ok4)
		_, ok6 := parseIP6(text)
		require.Equal(t, err == nil && ip.Is6(), ok6)
	})
}

func TestHoldersForgetTheOldest(t *testing.T) {
	h := NewHolders("self")
	for i := range maxHeldHashes + 1 {
		hash := wire.Hash32{byte(i), byte(i >> 8)}
		h.Add(hash, "b")
		h.Add(hash, "a")
		h.Add(hash, "self")
		h.Of(wire.Hash32{}) // stays in use
	}
	require.Equal(t, []ID{"a", "b"}, h.Of(wire.Hash32{}))
	require.Empty(t, h.Of(wire.Hash32{1}))
	require.Equal(t, []ID{"a", "b"}, h.Of(wire.Hash32{2}))
}

func TestLimiterQueuesAndDelays(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	l := NewLimiter(ServerRate("ax/1"))
	for i := range 10 {
		wait, ok := l.Admit(now)
		require.True(t, ok)
		require.Equal(t, time.Duration(i)*time.Second, wait)
	}
	_, ok := l.Admit(now)
	require.False(t, ok)
	l.Finish()
	wait, ok := l.Admit(now.Add(10 * time.Second))
	require.True(t, ok)
	require.Zero(t, wait)
}

func TestDeadlineIsRenewedByTraffic(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	d := Deadline{Idle: 25 * time.Second, Hard: start.Add(60 * time.Second)}
	at, renew := d.Next(start, 1)
	require.True(t, renew)
	require.Equal(t, start.Add(25*time.Second), at)
	_, renew = d.Next(start.Add(time.Second), 4096)
	require.False(t, renew)
	at, renew = d.Next(start.Add(50*time.Second), 1)
	require.True(t, renew)
	require.Equal(t, start.Add(60*time.Second), at, "the hard timeout caps it")
}

func TestClockThatIsWrongStopsTheNode(t *testing.T) {
	check := TimeCheck{Params: DefaultTimeParams()}
	start := time.Unix(1_700_000_000, 0)
	round := func(off time.Duration, answers int) (time.Duration, bool) {
		r := NewTimeRound(7, start)
		for range answers {
			r.Add(7, uint64(start.Add(off).UnixNano()), start)
		}
		return check.Judge(r)
	}
	for range 9 {
		_, stop := round(-11*time.Second, 3)
		require.False(t, stop)
	}
	next, stop := round(0, 2)
	require.Equal(t, 5*time.Second, next)
	require.False(t, stop)
	_, stop = round(10*time.Second, 3)
	require.False(t, stop, "the bound is inclusive and breaks the row")
	for range 9 {
		_, stop = round(11*time.Second, 3)
		require.False(t, stop)
	}
	_, stop = round(11*time.Second, 3)
	require.True(t, stop)
}
