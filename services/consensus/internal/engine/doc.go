// Package engine is consensus's working state: the tortoise, the mesh's markers,
// the ATX index, beacons and certificates, with the database behind them.
//
// One lock guards what the pure packages keep. Handlers verify signatures and
// VRFs outside of it, in parallel; ballots are written in batches by one writer,
// and enter the tortoise after they are stored. Layers are processed one at a
// time.
//
// Rows are the truth: everything here is rebuilt from Postgres by Open. What
// other services own arrives through feeds (docs/data.md), which are followed to
// their end before a layer is processed and whenever a ballot names something
// that is not there.
package engine
