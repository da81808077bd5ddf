package wire

import "github.com/smeshery/smeshery/pkg/codec"

// Limits of spec 01 §14 and §15.
const (
	MaxRawTx           = 4_096
	MaxResultMessage   = 1_024
	MaxResultAddresses = 10
	MaxAccountState    = 10_000
	MaxActiveSet       = 8_000_000
)

// RawTx is a transaction as it was sent, with its name.
type RawTx struct {
	ID  TransactionID
	Raw []byte
}

// NewRawTx names raw bytes (spec 01 §14.1).
func NewRawTx(raw []byte) RawTx { return RawTx{ID: TransactionID(Sum(raw)), Raw: raw} }

// Code is spec 01 §14.1.
func (t *RawTx) Code(c *codec.Coder) {
	c.Fixed(t.ID[:])
	c.Bytes(&t.Raw, MaxRawTx)
}

// LayerLimits bounds the layers in which a transaction may be applied.
type LayerLimits struct {
	Min uint32
	Max uint32
}

// Code is spec 01 §14.1.
func (l *LayerLimits) Code(c *codec.Coder) {
	c.Compact32(&l.Min)
	c.Compact32(&l.Max)
}

// TxHeader is what parsing a transaction against the state yields.
type TxHeader struct {
	Principal       Address
	TemplateAddress Address
	Method          uint8
	Nonce           uint64
	LayerLimits     LayerLimits
	MaxGas          uint64
	GasPrice        uint64
	MaxSpend        uint64
}

// Code is spec 01 §14.1.
func (h *TxHeader) Code(c *codec.Coder) {
	c.Fixed(h.Principal[:])
	c.Fixed(h.TemplateAddress[:])
	c.Compact8(&h.Method)
	c.Compact64(&h.Nonce)
	h.LayerLimits.Code(c)
	c.Compact64(&h.MaxGas)
	c.Compact64(&h.GasPrice)
	c.Compact64(&h.MaxSpend)
}

// Fee is the most the transaction can pay for gas, modulo 2^64.
func (h *TxHeader) Fee() uint64 { return h.MaxGas * h.GasPrice }

// Transaction is a raw transaction with the header it parsed to.
type Transaction struct {
	RawTx
	TxHeader *TxHeader
}

// Code is spec 01 §14.1.
func (t *Transaction) Code(c *codec.Coder) {
	t.RawTx.Code(c)
	codec.Option(c, &t.TxHeader)
}

// Status of an applied transaction.
const (
	TxSuccess uint8 = iota
	TxFailure
)

// TransactionResult is what became of an applied transaction.
type TransactionResult struct {
	Status    uint8
	Message   string
	Gas       uint64
	Fee       uint64
	Block     BlockID
	Layer     LayerID
	Addresses []Address
}

// Code is spec 01 §14.1.
func (r *TransactionResult) Code(c *codec.Coder) {
	c.Compact8(&r.Status)
	c.String(&r.Message, MaxResultMessage)
	c.Compact64(&r.Gas)
	c.Compact64(&r.Fee)
	c.Fixed(r.Block[:])
	r.Layer.Code(c)
	codec.FixedList(c, &r.Addresses, MaxResultAddresses)
}

// Reward is what a coinbase got for one smesher's part in a layer.
type Reward struct {
	Layer       LayerID
	TotalReward uint64
	LayerReward uint64
	Coinbase    Address
	SmesherID   NodeID
}

// Code is spec 01 §14.1.
func (r *Reward) Code(c *codec.Coder) {
	r.Layer.Code(c)
	c.Compact64(&r.TotalReward)
	c.Compact64(&r.LayerReward)
	c.Fixed(r.Coinbase[:])
	c.Fixed(r.SmesherID[:])
}

// Account is one version of an account: as it was after Layer.
type Account struct {
	Layer           LayerID
	Address         Address
	NextNonce       uint64
	Balance         uint64
	TemplateAddress *Address
	State           []byte
}

// Code is spec 01 §14.1; the state root hashes this form.
func (a *Account) Code(c *codec.Coder) {
	a.Layer.Code(c)
	c.Fixed(a.Address[:])
	c.Compact64(&a.NextNonce)
	c.Compact64(&a.Balance)
	codec.OptionFixed(c, &a.TemplateAddress)
	c.Bytes(&a.State, MaxAccountState)
}

// EpochActiveSet is a list of ATXs as it is fetched.
type EpochActiveSet struct {
	Epoch EpochID
	Set   []ATXID
}

// Code is spec 01 §15.1.
func (s *EpochActiveSet) Code(c *codec.Coder) {
	s.Epoch.Code(c)
	codec.FixedList(c, &s.Set, MaxActiveSet)
}

// Hash names the set; the epoch is not part of it.
func (s *EpochActiveSet) Hash() Hash32 { return HashATXList(s.Set) }
