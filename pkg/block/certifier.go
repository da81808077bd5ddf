package block

import (
	"slices"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Round is the round of hare's oracle that elects certifiers (spec 06 §3.7).
const Round = 1<<31 - 1

// maxPerSmesher bounds how many blocks of one layer are remembered on the word
// of one identity. An honest one certifies one.
const maxPerSmesher = 8

// CertifierParams are the network's numbers (spec 06 §2).
type CertifierParams struct {
	EffectiveGenesis wire.LayerID
	// Threshold is the sum of counts that makes a certificate.
	Threshold int
	// LayerBuffer is how many layers ahead of the clock messages may be.
	LayerBuffer uint32
	// LayersToKeep is how long messages are kept.
	LayersToKeep uint32
}

// Judge answers what needs keys, weights and beacons.
type Judge interface {
	// BeaconKnown tells whether the beacon of the layer's epoch is known.
	BeaconKnown(layer wire.LayerID) bool
	// Signed verifies the signature, under the hare domain.
	Signed(m *wire.CertifyMessage) bool
	// Eligible validates proof and count for Round with the certificate committee;
	// false also when it cannot tell.
	Eligible(m *wire.CertifyMessage) bool
}

// Rows reads the rows of a layer.
type Rows func(layer wire.LayerID) ([]Row, error)

// Save is what to write when a certificate is complete, in one transaction:
// the certificate as a valid row, and the validity of the layer's other rows.
type Save struct {
	Layer       wire.LayerID
	Certificate wire.Certificate
	// Valid and Invalid are other blocks of the layer.
	Valid, Invalid []wire.BlockID
}

// Multiple tells that the layer has another valid certificate. The tortoise is
// then told that the layer is empty.
func (s *Save) Multiple() bool { return len(s.Valid) > 0 }

// Rows are the layer's rows after the save.
func (s *Save) Rows(rows []Row) []Row {
	out := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.Block == s.Certificate.BlockID })
	for i := range out {
		out[i].Valid = slices.Contains(s.Valid, out[i].Block)
	}
	certificate := s.Certificate
	return append(out, Row{Block: certificate.BlockID, Certificate: &certificate, Valid: true})
}

// collection is what is known of one block of a layer.
type collection struct {
	registered, done bool
	total            int
	messages         []wire.CertifyMessage
}

// collected is what is known of one layer.
type collected struct {
	blocks   map[wire.BlockID]*collection
	messages map[wire.NodeID]int
}

// Certifier collects certify messages into certificates (spec 06 §11).
type Certifier struct {
	params CertifierParams
	judge  Judge
	layers map[wire.LayerID]*collected
}

// NewCertifier has nothing collected.
func NewCertifier(params CertifierParams, judge Judge) *Certifier {
	return &Certifier{params: params, judge: judge, layers: make(map[wire.LayerID]*collected)}
}

func (c *Certifier) layer(id wire.LayerID) *collected {
	l := c.layers[id]
	if l == nil {
		l = &collected{blocks: make(map[wire.BlockID]*collection), messages: make(map[wire.NodeID]int)}
		c.layers[id] = l
	}
	return l
}

func (l *collected) block(id wire.BlockID) *collection {
	b := l.blocks[id]
	if b == nil {
		b = new(collection)
		l.blocks[id] = b
	}
	return b
}

// OnLayer forgets what is too old.
func (c *Certifier) OnLayer(current wire.LayerID) {
	keep := wire.LayerID(c.params.LayersToKeep)
	if current <= keep {
		return
	}
	for id := range c.layers {
		if id < current-keep {
			delete(c.layers, id)
		}
	}
}

// OnMessage judges a certify message from gossip (spec 06 §11.3). A Save comes
// with a certificate that it completed; an error is ours, or RuleMultipleCertificates
// with a Save that is to be written all the same.
func (c *Certifier) OnMessage(raw []byte, current wire.LayerID, rows Rows) (Verdict, *Save, error) {
	var m wire.CertifyMessage
	if err := codec.Decode(raw, &m); err != nil {
		return Reject, nil, refuse(RuleMalformed, "%v", err)
	}
	if !c.judge.BeaconKnown(m.LayerID) || !c.inTime(m.LayerID, current) {
		return Ignore, nil, nil
	}
	if l := c.layers[m.LayerID]; l != nil && l.blocks[m.BlockID] != nil && l.blocks[m.BlockID].done {
		return Accept, nil, nil
	}
	if !c.judge.Signed(&m) {
		return Reject, nil, refuse(RuleMalformed, "signature of %s", m.SmesherID)
	}
	if !c.judge.Eligible(&m) {
		return Ignore, nil, nil
	}
	l := c.layer(m.LayerID)
	if l.messages[m.SmesherID] < maxPerSmesher {
		l.messages[m.SmesherID]++
		b := l.block(m.BlockID)
		b.messages = append(b.messages, m)
		b.total += int(m.EligibilityCnt)
	}
	save, err := c.complete(m.LayerID, m.BlockID, rows)
	if err != nil {
		return Ignore, save, err
	}
	return Accept, save, nil
}

// inTime is the range of layers that messages may be for.
func (c *Certifier) inTime(layer, current wire.LayerID) bool {
	buffer := uint64(c.params.LayerBuffer)
	low := uint64(c.params.EffectiveGenesis)
	if uint64(current) > buffer+1 {
		low = uint64(current) - buffer - 1
	}
	return uint64(layer) >= low && uint64(layer) <= uint64(current)+buffer
}

// Register tells that the node itself came to this output. What was collected
// may then complete a certificate; results are as OnMessage's.
func (c *Certifier) Register(layer wire.LayerID, block wire.BlockID, rows Rows) (*Save, error) {
	c.layer(layer).block(block).registered = true
	return c.complete(layer, block, rows)
}

func (c *Certifier) complete(layer wire.LayerID, block wire.BlockID, rows Rows) (*Save, error) {
	b := c.layer(layer).blocks[block]
	if b == nil || !b.registered || b.done || b.total < c.params.Threshold {
		return nil, nil
	}
	certificate := wire.Certificate{
		BlockID: block, Signatures: slices.Clone(b.messages[:min(len(b.messages), wire.MaxCertificateMessages)]),
	}
	save, err := c.save(layer, certificate, rows)
	if save != nil {
		// What arrives from now on is accepted without a look at it.
		b.done, b.messages = true, nil
	}
	return save, err
}

// OnCertificate judges a certificate that was fetched from a peer (spec 06 §11.4,
// §11.5). RuleInvalidCertificate comes without a Save.
func (c *Certifier) OnCertificate(layer wire.LayerID, certificate *wire.Certificate, rows Rows) (*Save, error) {
	if !c.valid(certificate) {
		return nil, refuse(RuleInvalidCertificate, "block %s in layer %d", certificate.BlockID, layer)
	}
	return c.save(layer, *certificate, rows)
}

// valid sums the counts of valid messages, in 16 bits that wrap. The layer and
// block of messages are not compared, nor are identities, as all nodes have it.
func (c *Certifier) valid(certificate *wire.Certificate) bool {
	var sum uint16
	for i := range certificate.Signatures {
		if m := &certificate.Signatures[i]; c.judge.Signed(m) && c.judge.Eligible(m) {
			sum += m.EligibilityCnt
		}
	}
	return int(sum) >= c.params.Threshold
}

// save decides about the other rows of the layer: an output without certificate
// gives way, a certificate that is valid stays beside.
func (c *Certifier) save(layer wire.LayerID, certificate wire.Certificate, rows Rows) (*Save, error) {
	stored, err := rows(layer)
	if err != nil {
		return nil, err
	}
	s := &Save{Layer: layer, Certificate: certificate}
	for _, row := range stored {
		switch {
		case row.Block == certificate.BlockID:
		case row.Certificate != nil && c.valid(row.Certificate):
			s.Valid = append(s.Valid, row.Block)
		default:
			s.Invalid = append(s.Invalid, row.Block)
		}
	}
	if !s.Multiple() {
		return s, nil
	}
	c.layer(layer).block(certificate.BlockID).done = true
	return s, refuse(RuleMultipleCertificates, "layer %d", layer)
}
