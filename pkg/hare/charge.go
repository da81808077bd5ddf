package hare

import (
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// maxCharges is how many layers stay marked at most (spec 05 §6.1).
const maxCharges = 100

// Charges are the layers that hare decides and that sync leaves alone. Both
// versions share them. The zero value is empty.
type Charges struct{ layers []wire.LayerID } // ascending

// Take marks a layer; the oldest mark gives way to the hundred and first.
func (c *Charges) Take(layer wire.LayerID) {
	if i, marked := slices.BinarySearch(c.layers, layer); !marked {
		c.layers = slices.Insert(c.layers, i, layer)
	}
	if len(c.layers) > maxCharges {
		c.layers = slices.Delete(c.layers, 0, 1)
	}
}

// Release removes a layer's mark.
func (c *Charges) Release(layer wire.LayerID) {
	if i, marked := slices.BinarySearch(c.layers, layer); marked {
		c.layers = slices.Delete(c.layers, i, i+1)
	}
}

// Hold tells whether hare decides the layer.
func (c *Charges) Hold(layer wire.LayerID) bool {
	_, marked := slices.BinarySearch(c.layers, layer)
	return marked
}
