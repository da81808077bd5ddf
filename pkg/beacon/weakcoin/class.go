package weakcoin

// Class says what became of a message (spec 05 §17).
type Class string

// Classes. Accepted and Buffered are relayed; Malformed is held against the
// sender; all others are dropped without a penalty.
const (
	Accepted       Class = "accepted"
	Buffered       Class = "buffered"
	Malformed      Class = "malformed"
	AboveThreshold Class = "above_threshold"
	WrongRound     Class = "wrong_round"
	NoNonce        Class = "no_nonce"
	BadSignature   Class = "bad_signature"
	NoAllowance    Class = "allowance"
	NotSmallest    Class = "not_smallest"
)
