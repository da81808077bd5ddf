package post

import "crypto/cipher"

// check is a Task after everything but its labels has been checked: the places
// of the labels and what they are compared with.
type check struct {
	ordinals []int
	places   []Place
	group    cipher.Block
	lane     int // of the nonce in the group cipher's output
	lazyKey  [16]byte
	limit    Difficulty
}

// prepare runs checks 1 to 6 of spec 02 §9.2 in their order.
func (p *Params) prepare(t *Task, pow PowHasher) (*check, error) {
	numUnits := t.Statement.NumUnits
	switch {
	case numUnits < p.MinNumUnits || numUnits == 0:
		return nil, broken(RuleNumUnitsTooSmall, "%d, at least %d", numUnits, p.MinNumUnits)
	case numUnits > p.MaxNumUnits:
		return nil, broken(RuleNumUnitsTooLarge, "%d, at most %d", numUnits, p.MaxNumUnits)
	case NonceGroup(t.Proof.Nonce) > MaxNonceGroup:
		return nil, broken(RuleNonceGroup, "nonce %d", t.Proof.Nonce)
	}
	if !t.PowVerified {
		if err := p.checkPow(t, pow); err != nil {
			return nil, err
		}
	}
	numLabels, ok := NumLabels(numUnits, p.LabelsPerUnit)
	if !ok {
		return nil, broken(RuleNumLabels, "%d units of %d", numUnits, p.LabelsPerUnit)
	}
	width := IndexBits(numLabels)
	if want := PackedLen(uint64(p.K2), width); uint64(len(t.Proof.Indices)) != want {
		return nil, broken(RuleIndicesLength, "%d bytes, expected %d", len(t.Proof.Indices), want)
	}
	limit, err := ProvingDifficulty(p.K1, numLabels)
	if err != nil {
		return nil, err
	}
	return p.selected(t, limit, width)
}

func (p *Params) checkPow(t *Task, pow PowHasher) error {
	if pow == nil {
		return ErrNoPow
	}
	scaled, err := ScalePowDifficulty(p.PowDifficulty, t.Statement.NumUnits)
	if err != nil {
		return err
	}
	group := NonceGroup(t.Proof.Nonce)
	task := PowTask{
		Group: uint8(group), Challenge: [8]byte(t.Statement.Challenge[:8]),
		NodeID: t.Statement.NodeID, Difficulty: scaled,
	}
	switch valid, err := task.Check(pow, t.Proof.Pow); {
	case err != nil:
		return err
	case !valid:
		return broken(RulePow, "%d in group %d", t.Proof.Pow, group)
	}
	return nil
}

// selected lists the labels to compute and sets up the ciphers.
func (p *Params) selected(t *Task, limit Difficulty, width int) (*check, error) {
	c := &check{ordinals: t.Select.ordinals(&t.Statement, p.K2), limit: limit}
	if len(c.ordinals) == 0 {
		return c, nil
	}
	commitment := Commitment(t.Statement.NodeID, t.Statement.CommitmentATX)
	c.places = make([]Place, len(c.ordinals))
	for i, ordinal := range c.ordinals {
		index, ok := UnpackIndex(t.Proof.Indices, width, ordinal)
		if !ok {
			return nil, broken(RulePackedIndexLength, "ordinal %d", ordinal)
		}
		c.places[i] = Place{Commitment: commitment, Index: index}
	}
	challenge, nonce := t.Statement.Challenge, t.Proof.Nonce
	c.group = newAES(GroupKey(challenge, NonceGroup(nonce), t.Proof.Pow))
	c.lane = int(nonce % NoncesPerGroup)
	c.lazyKey = LazyKey(challenge, nonce, t.Proof.Pow)
	return c, nil
}

// judge compares the label of the i-th selected index with the difficulty:
// checks 7 and 8 of spec 02 §9.2.
func (c *check) judge(i int, full *FullLabel) error {
	var out [16]byte
	label := full.Short()
	c.group.Encrypt(out[:], label[:])
	got, limit := out[c.lane], c.limit.Msb()
	switch {
	case got < limit:
		return nil
	case got > limit:
		return c.bad(RuleIndexMsb, i, label, uint64(got), uint64(limit))
	}
	newAES(c.lazyKey).Encrypt(out[:], label[:])
	if lsb := lazyValue(out[:8]); lsb >= c.limit.Lsb() {
		return c.bad(RuleIndexLsb, i, label, lsb, c.limit.Lsb())
	}
	return nil
}

func (c *check) bad(rule Rule, i int, label [LabelSize]byte, got, limit uint64) error {
	return &IndexError{
		Rule: rule, Ordinal: c.ordinals[i], Index: c.places[i].Index,
		Label: label, Got: got, Limit: limit,
	}
}
