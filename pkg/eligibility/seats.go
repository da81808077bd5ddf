package eligibility

import (
	"slices"
	"sort"

	"github.com/smeshery/smeshery/pkg/fixed"
)

// Lottery is the binomial experiment that hands out seats: every unit of weight
// wins with the same probability.
type Lottery struct {
	Trials int64
	Chance fixed.Num
}

// NewLottery scales weights for a committee (spec 05 §2.4, steps 1 and 5–8).
// The errors are ErrZeroCommittee, ErrZeroTotalWeight and ErrWeightTooLarge.
func NewLottery(committee int, weight, total uint64) (Lottery, error) {
	if committee < 1 {
		return Lottery{}, ErrZeroCommittee
	}
	if total == 0 {
		return Lottery{}, ErrZeroTotalWeight
	}
	seats := uint64(committee)
	if seats > total {
		total *= seats
		weight *= seats
	}
	if weight > fixed.MaxTrials {
		return Lottery{}, ErrWeightTooLarge
	}
	var c fixed.Calc
	chance := c.DivUint64(seats, total)
	return Lottery{Trials: int64(weight), Chance: chance}, c.Err()
}

// lookAhead is how far past its end a table grows to check one claim.
const lookAhead = 32

// maxTable bounds one table. Walks beyond it are computed and not kept.
const maxTable = 1 << 16

// Table is a lottery's cumulative distribution, computed as far as it was asked
// for. Words are saturated to 64 bits: fractions have 56, so comparisons with
// them lose nothing.
type Table struct {
	lottery Lottery
	dist    fixed.Binomial
	words   []uint64 // words[x] is the probability of at most x seats
	highest []uint64 // highest[x] is the largest of words[0..x]
}

// NewTable prepares a lottery's table.
func NewTable(l Lottery) (*Table, error) {
	dist, err := fixed.NewBinomial(l.Trials, l.Chance)
	if err != nil {
		return nil, err
	}
	return &Table{lottery: l, dist: dist}, nil
}

// Count is the number of seats for a fraction, modulo 65536 (spec 05 §2.5): the
// first x whose probability lies above it.
func (t *Table) Count(fraction fixed.Num) (uint16, error) {
	f := fraction.Word()
	// The running maximum crosses f exactly where the distribution does first.
	if at := sort.Search(len(t.highest), func(i int) bool { return t.highest[i] > f }); at < len(t.highest) {
		return uint16(at), nil
	}
	for x := int64(len(t.words)); x < t.lottery.Trials; x++ {
		v, err := t.dist.CDF(x)
		if err != nil {
			return 0, err
		}
		t.keep(x, v.Word())
		if v.Word() > f {
			return uint16(x), nil
		}
	}
	return uint16(t.lottery.Trials), nil
}

// Valid tells whether a claim of exactly that many seats holds for the fraction
// (spec 05 §2.5).
func (t *Table) Valid(fraction fixed.Num, claimed uint16) (bool, error) {
	f := fraction.Word()
	below, err := t.word(int64(claimed) - 1)
	if err != nil || below > f {
		return false, err
	}
	upTo, err := t.word(int64(claimed))
	return err == nil && f < upTo, err
}

func (t *Table) word(x int64) (uint64, error) {
	if x < 0 || x >= t.lottery.Trials || x >= int64(len(t.words))+lookAhead {
		v, err := t.dist.CDF(x)
		return v.Word(), err
	}
	for next := int64(len(t.words)); next <= x; next++ {
		v, err := t.dist.CDF(next)
		if err != nil {
			return 0, err
		}
		if !t.keep(next, v.Word()) {
			v, err = t.dist.CDF(x)
			return v.Word(), err
		}
	}
	return t.words[x], nil
}

// keep appends the word of x, unless the table is full.
func (t *Table) keep(x int64, word uint64) bool {
	if x != int64(len(t.words)) || x >= maxTable {
		return false
	}
	if x == 0 {
		t.words, t.highest = slices.Grow(t.words, 8), slices.Grow(t.highest, 8)
	}
	t.words = append(t.words, word)
	if x > 0 {
		word = max(word, t.highest[x-1])
	}
	t.highest = append(t.highest, word)
	return true
}

// Tables keeps the tables of the weights in use.
type Tables struct {
	limit  int // on the words of all tables together
	words  int
	tables map[Lottery]*Table
}

// NewTables keeps up to about limit words; when they are used up it starts over.
func NewTables(limit int) *Tables {
	return &Tables{limit: limit, tables: make(map[Lottery]*Table)}
}

// Count is Table.Count of the lottery's table.
func (s *Tables) Count(l Lottery, fraction fixed.Num) (uint16, error) {
	t, err := s.table(l)
	if err != nil {
		return 0, err
	}
	defer s.account(t, len(t.words))
	return t.Count(fraction)
}

// Valid is Table.Valid of the lottery's table.
func (s *Tables) Valid(l Lottery, fraction fixed.Num, claimed uint16) (bool, error) {
	t, err := s.table(l)
	if err != nil {
		return false, err
	}
	defer s.account(t, len(t.words))
	return t.Valid(fraction, claimed)
}

func (s *Tables) account(t *Table, before int) { s.words += len(t.words) - before }

// tableCost stands for what a table needs besides its words.
const tableCost = 16

func (s *Tables) table(l Lottery) (*Table, error) {
	if t := s.tables[l]; t != nil {
		return t, nil
	}
	t, err := NewTable(l)
	if err != nil {
		return nil, err
	}
	if s.words+tableCost > s.limit {
		clear(s.tables)
		s.words = 0
	}
	s.words += tableCost
	s.tables[l] = t
	return t, nil
}

// Len is the number of tables kept.
func (s *Tables) Len() int { return len(s.tables) }
