package peer

import (
	"strconv"
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

// Dialable tells whether a multiaddress may be dialled on a public network. Its
// first ip4 or ip6 component decides; names are not resolved and IPv4-mapped
// addresses pass (spec 08 §2.6).
func Dialable(address string) bool {
	parts := strings.Split(address, "/")
	for i := range len(parts) - 1 {
		switch parts[i] {
		case "ip4":
			ip, ok := parseIP4(parts[i+1])
			return !ok || !blocked4(ip)
		case "ip6":
			ip, ok := parseIP6(parts[i+1])
			return !ok || !blocked6(ip)
		}
	}
	return true
}

// blocked4 knows the ranges that cannot be a public peer's.
func blocked4(ip [4]byte) bool {
	switch a, b := ip[0], ip[1]; a {
	case 127, 10:
		return true
	case 100:
		return b&0xc0 == 64
	case 172:
		return b&0xf0 == 16
	case 192:
		return b == 168
	case 169:
		return b == 254
	}
	return false
}

func blocked6(ip [16]byte) bool {
	loopback := ip == [16]byte{15: 1}
	uniqueLocal := ip[0]&0xfe == 0xfc
	linkLocal := ip[0] == 0xfe && ip[1]&0xc0 == 0x80
	return loopback || uniqueLocal || linkLocal
}

// parseIP4 reads four decimal numbers without leading zeros.
func parseIP4(text string) (ip [4]byte, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) != len(ip) {
		return ip, false
	}
	for i, part := range parts {
		v, err := strconv.ParseUint(part, 10, 8)
		if err != nil || strconv.FormatUint(v, 10) != part {
			return ip, false
		}
		ip[i] = byte(v)
	}
	return ip, true
}

// parseIP6 reads groups of hex digits, one :: and a dotted end.
func parseIP6(text string) (ip [16]byte, ok bool) {
	left, right, gap := strings.Cut(text, "::")
	head, okHead := groups(left, !gap)
	tail, okTail := groups(right, true)
	size := len(head) + len(tail)
	if !okHead || !okTail || gap && size > 14 || !gap && size != 16 {
		return ip, false
	}
	copy(ip[:], head)
	copy(ip[16-len(tail):], tail)
	return ip, true
}

// groups reads the groups on one side of the gap; dotted allows an IPv4 address
// as the last of them.
func groups(text string, dotted bool) (out []byte, ok bool) {
	if text == "" {
		return nil, true
	}
	parts := strings.Split(text, ":")
	for i, part := range parts {
		if dotted && i == len(parts)-1 && strings.Contains(part, ".") {
			ip, ok := parseIP4(part)
			return append(out, ip[:]...), ok
		}
		v, err := strconv.ParseUint(part, 16, 16)
		if err != nil || len(part) > 4 {
			return nil, false
		}
		out = append(out, byte(v>>8), byte(v))
	}
	return out, true
}
