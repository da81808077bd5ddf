package peer

import (
	"net/netip"
	"strings"
)

// Gate limits of spec 08 §2.6.
const (
	DefaultInboundFraction  = 0.8
	DefaultOutboundFraction = 1.1
)

// ConnectionLimits say up to how many connected peers more are let in or dialled.
type ConnectionLimits struct{ Accept, Dial int }

// NewConnectionLimits applies the fractions to the high-water mark.
func NewConnectionLimits(highPeers int, inbound, outbound float64) ConnectionLimits {
	return ConnectionLimits{int(float64(highPeers) * inbound), int(float64(highPeers) * outbound)}
}

// MayAccept tells whether an inbound connection is let in, whoever it is.
func (l ConnectionLimits) MayAccept(connected int) bool { return connected <= l.Accept }

// MayDial tells whether a peer may be dialled; direct peers always are.
func (l ConnectionLimits) MayDial(connected int, direct bool) bool {
	return direct || connected <= l.Dial
}

// blocked are the address ranges that cannot be a public peer's.
func blocked() []netip.Prefix {
	var out []netip.Prefix
	for _, text := range []string{
		"127.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
		"::1/128", "fc00::/7", "fe80::/10",
	} {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// Dialable tells whether a multiaddress may be dialled on a public network. Its
// first ip4 or ip6 component decides; names are not resolved and IPv4-mapped
// addresses pass (spec 08 §2.6).
func Dialable(address string) bool {
	ip, ok := firstIP(address)
	if !ok {
		return true
	}
	for _, prefix := range blocked() {
		if prefix.Contains(ip) {
			return false
		}
	}
	return true
}

func firstIP(address string) (netip.Addr, bool) {
	parts := strings.Split(address, "/")
	for i := range len(parts) - 1 {
		if parts[i] == "ip4" || parts[i] == "ip6" {
			ip, err := netip.ParseAddr(parts[i+1])
			return ip, err == nil
		}
	}
	return netip.Addr{}, false
}
