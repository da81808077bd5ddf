package vm

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// AppendReads appends the accounts that applying raw will read, as far as the
// bytes alone tell, so that a caller can load them all in one query. It is a
// hint: bytes that do not parse yield less, and an AccountReader must know the
// rest by itself.
func AppendReads(dst []wire.Address, raw []byte) []wire.Address {
	var tx Transaction
	if tx.readHead(raw) != nil {
		return dst
	}
	dst = append(dst, tx.Header.Principal)
	// A vault writes no payload, but it can never be a principal that acts.
	tx.payload = true
	if tx.Header.Method == MethodSpawn {
		if tx.readTemplate() != nil {
			return dst
		}
		tx.Header.TemplateAddress = tx.template.Address()
	}
	if _, err := codec.DecodePrefix(raw[tx.bodyEnd:], (*body)(&tx)); err != nil {
		return dst
	}
	switch tx.Header.Method {
	case MethodSpawn:
		if target := tx.target(); target != tx.Header.Principal {
			dst = append(dst, target)
		}
	case MethodSpend:
		dst = append(dst, tx.spend.To)
	case MethodDrain:
		dst = append(dst, tx.drain.Vault, tx.drain.To)
	}
	return dst
}
