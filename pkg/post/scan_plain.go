package post

// vectorScan is a scan by vector instructions; there are none yet.
type vectorScan struct{}

func newVectorScan([][16]byte) *vectorScan { return nil }

func (v *vectorScan) clone() *vectorScan { return v }

func (v *vectorScan) scan(s *Scanner, labels []byte, base uint64, hits []Hit) []Hit {
	return s.scanPlain(labels, base, hits)
}
