// Package block makes a layer's block out of hare's output, judges blocks of
// peers, and collects certificates of hare's output (spec 06 §10, §11, §12.4).
//
//	hare output ─▶ Generate ─▶ Plan ──▶ Block, or Queue until the state is there
//	                                     │
//	certify messages ─▶ Certifier ◀──────┘ Register
//	                       └──▶ Save: rows of the layer, word to the tortoise
//
// Generate gives every honest node the same bytes. A plan is optimistic when
// most proposals agree on the state below the layer: then its transactions are
// executed first, and the block holds those that were executed.
//
// Invariants:
//   - A block does not depend on the order of the proposals (but for more than
//     100 transactions with one principal and nonce, spec 06 §18).
//   - A certificate is saved once for a layer and block, and only with messages
//     that were signed by eligible identities.
//   - More than one valid certificate in a layer makes its output empty.
//   - What is kept for unknown blocks is bounded by identity and layer.
//
// The package is pure. Rows of a layer are handed in, what to write is handed
// back; the caller writes it in one transaction before it acts on anything else.
package block
