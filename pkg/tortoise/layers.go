package tortoise

import "github.com/smeshery/smeshery/pkg/wire"

// layers holds the layers that are kept. Those up to the last one told by the
// clock lie in a row; what peers say about later ones lies apart, so that a far
// layer does not cost the layers before it.
type layers struct {
	first wire.LayerID
	row   []*layer
	ahead map[wire.LayerID]*layer
}

func newLayers(first wire.LayerID) layers {
	return layers{first: first, ahead: make(map[wire.LayerID]*layer)}
}

// end is the first layer after the row.
func (s *layers) end() wire.LayerID { return s.first + wire.LayerID(len(s.row)) }

// get is the layer, or nil.
func (s *layers) get(id wire.LayerID) *layer {
	switch {
	case id < s.first:
		return nil
	case id < s.end():
		return s.row[id-s.first]
	}
	return s.ahead[id]
}

// at is the layer, made when it is not evicted and not yet there.
func (s *layers) at(id wire.LayerID) *layer {
	if l := s.get(id); l != nil || id < s.first {
		return l
	}
	l := &layer{id: id}
	s.ahead[id] = l
	return l
}

// extend makes the row reach a layer.
func (s *layers) extend(last wire.LayerID) {
	for id := s.end(); id <= last; id++ {
		l := s.ahead[id]
		if l == nil {
			l = &layer{id: id}
		}
		delete(s.ahead, id)
		s.row = append(s.row, l)
	}
}

// drop forgets the layers before first.
func (s *layers) drop(first wire.LayerID) {
	n := min(int(first-s.first), len(s.row))
	clear(s.row[:n])
	s.row = s.row[n:]
	s.first = first
	for id := range s.ahead {
		if id < first {
			delete(s.ahead, id)
		}
	}
}

// below is the nearest lower layer that has a block, or nil.
func (s *layers) below(id wire.LayerID) *layer {
	var nearest *layer
	for at, l := range s.ahead {
		if at < id && len(l.blocks) > 0 && (nearest == nil || nearest.id < at) {
			nearest = l
		}
	}
	if nearest != nil {
		return nearest
	}
	for at := min(id, s.end()); at > s.first; at-- {
		if l := s.row[at-1-s.first]; len(l.blocks) > 0 {
			return l
		}
	}
	return nil
}
