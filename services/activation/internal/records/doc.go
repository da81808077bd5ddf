// Package records moves what the guard knows of an identity from one node to
// another, as one JSON document.
//
// Export retires the identity first: from that commit on nothing is signed for it
// here, so the document is complete. Import adds rows to those that are there and
// never changes one; where both hold other bytes for a slot, neither is signed
// again but those that were here first. Only an import ends a retirement.
//
//	{
//	  "version": 1,
//	  "network": "<genesis id, 20 bytes in hex>",
//	  "identity": "<node id in hex>",
//	  "exported": "2026-01-02T03:04:05Z",
//	  "signed": [{"kind": "ballot", "major": 12, "minor": 0, "hash": "<blake3 in hex>"}, …],
//	  "quarantine": [{"kind": "atx", "through": 9, "reason": "…"}, …]
//	}
//
// Kinds are the names of pkg/signing; major and minor are epoch or layer, and
// round. The key itself is not part of it.
package records
