package replay

import "iter"

// cursor reads rows one by one and can look at the next without taking it.
type cursor[T any] struct {
	next func() (T, error, bool)
	stop func()
	head T
	full bool
	done bool
}

func newCursor[T any](rows iter.Seq2[T, error]) *cursor[T] {
	next, stop := iter.Pull2(rows)
	return &cursor[T]{next: next, stop: stop}
}

// peek is the next row; nil after the last.
func (c *cursor[T]) peek() (*T, error) {
	if c.done {
		return nil, nil
	}
	if !c.full {
		row, err, ok := c.next()
		if !ok || err != nil {
			c.done = true
			return nil, err
		}
		c.head, c.full = row, true
	}
	return &c.head, nil
}

// take collects up to limit rows for as long as they are wanted. More rows may
// be wanted if it returns limit of them.
func (c *cursor[T]) take(limit int, wanted func(*T) bool) ([]T, error) {
	var out []T
	for len(out) < limit {
		row, err := c.peek()
		if err != nil {
			return nil, err
		}
		if row == nil || !wanted(row) {
			break
		}
		out = append(out, *row)
		c.full = false
	}
	return out, nil
}

// all is take without a limit.
func (c *cursor[T]) all(wanted func(*T) bool) ([]T, error) {
	const unlimited = int(^uint(0) >> 1)
	return c.take(unlimited, wanted)
}
