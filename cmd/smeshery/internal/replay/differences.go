package replay

import (
	"fmt"
	"sync"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
)

// Difference is one statement of the source that does not hold here.
type Difference struct {
	// Object names what differs, Field which of its values.
	Object string `json:"object"`
	Field  string `json:"field"`
	// Place is where the source states it.
	Place string `json:"place"`
	Here  string `json:"here"`
	There string `json:"there"`
}

func (d Difference) String() string {
	return fmt.Sprintf("%s (%s): %s is %s here and %s there", d.Object, d.Place, d.Field, d.Here, d.There)
}

// keptDifferences bounds the list; all are counted.
const keptDifferences = 20

// Differences counts them. It is safe for concurrent use.
type Differences struct {
	mu    sync.Mutex
	count int
	kept  []Difference
	// byField counts by kind of object and field.
	byField map[string]int
	tell    func(Difference)
}

func (d *Differences) add(kind source.Kind, diff Difference) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count++
	if d.byField == nil {
		d.byField = make(map[string]int)
	}
	d.byField[string(kind)+"."+diff.Field]++
	if len(d.kept) < keptDifferences {
		d.kept = append(d.kept, diff)
		d.tell(diff)
	}
}

// Count is how many there are.
func (d *Differences) Count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count
}

// comparison compares the fields of one object.
type comparison struct {
	found *Differences
	kind  source.Kind
	name  string
	place source.Place
}

// same compares one field.
func same[T comparable](c *comparison, field string, here, there T) {
	if here != there {
		c.differ(field, here, there)
	}
}

// sameOptional compares a field that may be absent on both sides.
func sameOptional[T comparable](c *comparison, field string, here, there *T) {
	if here == nil && there == nil {
		return
	}
	if here == nil || there == nil || *here != *there {
		c.differ(field, orNone(here), orNone(there))
	}
}

func orNone[T any](v *T) any {
	if v == nil {
		return "none"
	}
	return *v
}

func (c *comparison) differ(field string, here, there any) {
	c.found.add(c.kind, Difference{
		Object: c.name, Field: field, Place: c.place.String(), Here: short(here), There: short(there),
	})
}

// short keeps bodies out of messages.
func short(v any) string {
	s := fmt.Sprint(v)
	if b, ok := v.([]byte); ok {
		s = fmt.Sprintf("%x", b)
	}
	if len(s) > 160 {
		s = s[:160] + "…"
	}
	return s
}
