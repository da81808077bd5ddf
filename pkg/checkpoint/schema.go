package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/smeshery/smeshery/pkg/wire"
)

// kind tells the JSON type of a value by its first byte.
type kind byte

// Kinds that the schema asks for.
const (
	kindString  kind = '"'
	kindObject  kind = '{'
	kindArray   kind = '['
	kindInteger kind = '0'
)

// checkSchema checks a valid JSON text against the published schema (spec 07
// §11.2). The schema's definition of accounts is misplaced, so that all it asks
// is that they are present; marriages are not in it.
func checkSchema(raw []byte) error {
	root, err := members(raw, "root")
	if err != nil {
		return err
	}
	if err := require(root, "root", map[string]kind{"command": kindString, "version": kindString, "data": kindObject}); err != nil {
		return err
	}
	data, err := members(root["data"], "data")
	if err != nil {
		return err
	}
	if err := require(data, "data", map[string]kind{"id": kindString, "atxs": kindArray}); err != nil {
		return err
	}
	if data["accounts"] == nil {
		return violation("data", "accounts")
	}
	return checkATXs(data["atxs"])
}

func checkATXs(raw member) error {
	var atxs []json.RawMessage
	if err := json.Unmarshal(raw, &atxs); err != nil {
		return violation("data", "atxs")
	}
	first := make(map[string]int, len(atxs))
	repeated := make(map[wire.Hash32]bool)
	for i, atx := range atxs {
		where := "atx " + strconv.Itoa(i)
		id, err := checkATX(atx, where)
		if err != nil {
			return err
		}
		at, again := first[id]
		if !again {
			first[id] = i
			continue
		}
		// Only items of one id can be equal, and those are rare.
		repeated[fingerprint(atxs[at])] = true
		sum := fingerprint(atx)
		if repeated[sum] {
			return violation(where, "distinctness")
		}
		repeated[sum] = true
	}
	return nil
}

// atxMembers are the members that every ATX must have.
func atxMembers() map[string]kind {
	return map[string]kind{
		"id": kindString, "epoch": kindInteger, "commitmentAtx": kindString, "vrfNonce": kindInteger,
		"baseTickHeight": kindInteger, "tickCount": kindInteger, "publicKey": kindString, "sequence": kindInteger,
		"coinbase": kindString, "numUnits": kindInteger, "units": kindObject,
	}
}

// checkATX checks one item and returns its id as it is written.
func checkATX(raw json.RawMessage, where string) (id string, err error) {
	atx, err := members(raw, where)
	if err != nil {
		return "", err
	}
	if err := require(atx, where, atxMembers()); err != nil {
		return "", err
	}
	units, err := members(atx["units"], where)
	if err != nil {
		return "", err
	}
	for _, value := range units {
		if !value.is(kindInteger) {
			return "", violation(where, "units")
		}
	}
	if err := json.Unmarshal(atx["id"], &id); err != nil {
		return "", violation(where, "id")
	}
	return id, nil
}

// member is the text of a value.
type member json.RawMessage

// UnmarshalJSON keeps the text.
func (m *member) UnmarshalJSON(raw []byte) error {
	*m = bytes.Clone(raw)
	return nil
}

func (m member) is(want kind) bool {
	if len(m) == 0 {
		return false
	}
	if want == kindInteger {
		return isInteger(string(m))
	}
	return kind(m[0]) == want
}

// isInteger tells whether a JSON number has no fraction, however it is written.
func isInteger(number string) bool {
	if c := number[0]; c != '-' && (c < '0' || c > '9') {
		return false
	}
	if _, err := strconv.ParseInt(number, 10, 64); err == nil {
		return true
	}
	f, err := strconv.ParseFloat(number, 64)
	return err == nil && f == math.Trunc(f)
}

func members[T ~[]byte](raw T, where string) (map[string]member, error) {
	var out map[string]member
	if !member(raw).is(kindObject) && !member(bytes.TrimSpace(raw)).is(kindObject) {
		return nil, violation(where, "type")
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, violation(where, "type")
	}
	return out, nil
}

func require(have map[string]member, where string, want map[string]kind) error {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !have[name].is(want[name]) {
			return violation(where, name)
		}
	}
	return nil
}

func violation(where, what string) error { return fmt.Errorf("%w: %s of %s", ErrSchema, what, where) }

// fingerprint is the same for values that differ only in spacing and in the
// order of members.
func fingerprint(raw json.RawMessage) wire.Hash32 {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return wire.Sum(raw)
	}
	canonical, err := json.Marshal(value)
	if err != nil {
		return wire.Sum(raw)
	}
	return wire.Sum(canonical)
}
