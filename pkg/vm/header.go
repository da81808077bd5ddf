package vm

import "github.com/smeshery/smeshery/pkg/wire"

// Spending is the most that a transaction can take from its principal: its fee
// and what it moves, modulo 2^64 (spec 07 §3.3).
func Spending(h *wire.TxHeader) uint64 { return h.Fee() + h.MaxSpend }
