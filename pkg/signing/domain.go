package signing

import "fmt"

// Domain separates the kinds of signed bodies (spec 01 §17.1).
type Domain uint8

// Domains of the protocol; 6 to 9 are not used.
const (
	ATX            Domain = 0
	Proposal       Domain = 1
	Ballot         Domain = 2
	Hare           Domain = 3 // hare messages and block certification
	Poet           Domain = 4
	Marriage       Domain = 5
	BeaconFirst    Domain = 10
	BeaconFollowup Domain = 11
)

// String is the domain's name in logs and vectors.
func (d Domain) String() string {
	switch d {
	case ATX:
		return "ATX"
	case Proposal:
		return "PROPOSAL"
	case Ballot:
		return "BALLOT"
	case Hare:
		return "HARE"
	case Poet:
		return "POET"
	case Marriage:
		return "MARRIAGE"
	case BeaconFirst:
		return "BEACON_FIRST_MSG"
	case BeaconFollowup:
		return "BEACON_FOLLOWUP_MSG"
	}
	return fmt.Sprintf("domain(%d)", uint8(d))
}
