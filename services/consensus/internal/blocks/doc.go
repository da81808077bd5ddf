// Package blocks turns hare's outputs into blocks: it plans a layer's block, has it
// executed or stored, adopts it as this node's output, certifies it as this node's
// identities, and has the layer processed (spec 06 §10, §11.2, §12.4).
//
//	Put ─▶ queue ─▶ plan ─┬─ optimistic: waits for the layer below ─▶ execute ─┐
//	                      └─ else ─▶ store ────────────────────────────────────┴─▶ adopt ─▶ process
//	                                                                               └─▶ certify
//
// Invariants:
//   - One worker takes outputs in the order of their coming, and waiting layers in
//     the order of layers.
//   - A layer is executed ahead of its block only if it is the one after the last
//     that the state applied.
//   - What ends without a block releases the layer, so that sync or votes decide it.
//
// Failure: a layer that cannot be planned is left to its certificate. With Postgres
// or state away a layer that waits is tried again with each poll; what was never
// adopted is forgotten in a crash, and votes decide the layer.
package blocks
