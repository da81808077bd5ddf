// Package mesh decides what the state does when the tortoise speaks: which
// layers to apply with which block, what to take back, and which bodies are
// missing (spec 06 §12).
//
// It is pure: Process takes the tortoise's updates and the applied markers and
// returns a Plan. The shell carries the plan out in order: revert, then one step
// a layer, each step's markers in one transaction after its execution.
//
// States of a layer: seen, terminated (hare spoke, or zdist passed), applied,
// verified and applied, evicted. A layer may be applied before it is verified,
// and be applied again when the opinion or the block changes.
//
// Invariants:
//   - Layers are applied strictly in order; a plan never skips one.
//   - Nothing is applied at or above the first layer whose needed body is missing.
//   - A carried-out plan, computed again, is empty of executions.
package mesh
