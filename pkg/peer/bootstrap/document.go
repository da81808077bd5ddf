package bootstrap

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Version is the schema of documents that this package reads.
const Version = "https://spacemesh.io/bootstrap.schema.json.1.0"

// Reasons to refuse a document.
var (
	ErrNotJSON       = errors.New("document is not json")
	ErrSchema        = errors.New("document breaks its schema")
	ErrTypes         = errors.New("document has values out of range")
	ErrVersion       = errors.New("document has another version")
	ErrInvalidBeacon = errors.New("document has an invalid beacon")
)

// Update is what a document says about an epoch.
type Update struct {
	Epoch wire.EpochID
	// Beacon is all zero in a document that is about the active set alone.
	Beacon    wire.Beacon
	ActiveSet []wire.ATXID // in the document's order
}

// document is the part of a document that is read.
type document struct {
	Version string `json:"version"`
	Data    struct {
		Epoch struct {
			Number    uint32   `json:"number"`
			Beacon    string   `json:"beacon"`
			ActiveSet []string `json:"activeSet"`
		} `json:"epoch"`
	} `json:"data"`
}

// Parse checks a document and reads it.
func Parse(raw []byte, version string) (*Update, error) {
	if err := checkSchema(raw); err != nil {
		return nil, err
	}
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTypes, err)
	}
	if d.Version != version {
		return nil, fmt.Errorf("%w: %.100q", ErrVersion, d.Version)
	}
	epoch := &d.Data.Epoch
	beacon, err := hex.DecodeString(epoch.Beacon)
	if err != nil || len(beacon) < len(wire.Beacon{}) {
		return nil, fmt.Errorf("%w: %.100q", ErrInvalidBeacon, epoch.Beacon)
	}
	u := &Update{Epoch: wire.EpochID(epoch.Number), Beacon: wire.Beacon(beacon[:4])}
	for _, text := range epoch.ActiveSet {
		u.ActiveSet = append(u.ActiveSet, lenientATXID(text))
	}
	return u, nil
}

// lenientATXID takes any text for an id, as upstream does: hex with or without 0x,
// an odd digit in front, and of other text what can be decoded.
func lenientATXID(text string) wire.ATXID {
	digits := strings.TrimPrefix(strings.TrimPrefix(text, "0x"), "0X")
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	raw, _ := hex.DecodeString(digits)
	return wire.ATXID(wire.RightAligned32(raw))
}

// checkSchema checks the JSON schema of spec 08 §12.2.
func checkSchema(raw []byte) error {
	if !json.Valid(raw) {
		return ErrNotJSON
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var top any
	if err := decoder.Decode(&top); err != nil {
		return fmt.Errorf("%w: %w", ErrNotJSON, err)
	}
	root, ok := top.(map[string]any)
	if !ok {
		return fmt.Errorf("%w: not an object", ErrSchema)
	}
	if _, ok := root["version"].(string); !ok {
		return fmt.Errorf("%w: version is not a string", ErrSchema)
	}
	data, ok := root["data"].(map[string]any)
	if !ok {
		return fmt.Errorf("%w: data is not an object", ErrSchema)
	}
	epoch, ok := data["epoch"].(map[string]any)
	if !ok {
		return fmt.Errorf("%w: epoch is not an object", ErrSchema)
	}
	return checkEpoch(epoch)
}

// checkEpoch wants no member, but checks those that are there.
func checkEpoch(epoch map[string]any) error {
	if v, there := epoch["number"]; there {
		if n, ok := v.(json.Number); !ok || !isWhole(n.String()) {
			return fmt.Errorf("%w: number is not a whole number", ErrSchema)
		}
	}
	if v, there := epoch["beacon"]; there {
		if s, ok := v.(string); !ok || utf8.RuneCountInString(s) < 8 {
			return fmt.Errorf("%w: beacon is not a string of 8 characters", ErrSchema)
		}
	}
	v, there := epoch["activeSet"]
	if !there || v == nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%w: activeSet is not a list", ErrSchema)
	}
	seen := make(map[string]struct{}, len(list))
	for _, item := range list {
		s, ok := item.(string)
		if _, repeated := seen[s]; !ok || repeated {
			return fmt.Errorf("%w: activeSet is not a list of different strings", ErrSchema)
		}
		seen[s] = struct{}{}
	}
	return nil
}

// maxExponent bounds the work of reading a number.
const maxExponent = 1000

// isWhole tells whether a JSON number is an integer that is not negative, in
// whatever notation.
func isWhole(number string) bool {
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(number), "e")
	if scientific {
		e, err := strconv.Atoi(exponent)
		if err != nil || e < -maxExponent || e > maxExponent {
			zero := strings.Trim(mantissa, "-0.") == ""
			return zero || !strings.HasPrefix(mantissa, "-") && !strings.HasPrefix(exponent, "-")
		}
	}
	if len(mantissa) > maxExponent {
		return false
	}
	v, ok := new(big.Rat).SetString(number)
	return ok && v.IsInt() && v.Sign() >= 0
}
