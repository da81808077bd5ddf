// Package block makes a layer's block out of hare's output, and certificates of
// it (spec 06 §10, §11).
package block
