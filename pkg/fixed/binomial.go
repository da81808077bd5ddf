package fixed

// MaxTrials bounds how many trials may succeed, and how many may fail (spec 05 §2.7).
const MaxTrials = 1 << 30

const (
	// tolerance ends the continued fraction: 1e-14.
	tolerance     = 720
	maxIterations = 300
)

// BinomialCDF is the probability of at most x successes in n trials that
// succeed with probability p each (spec 05 §2.7). Its last bits need not grow
// with x. It fails with ErrOverflow outside its domain.
func BinomialCDF(n int64, p Num, x int64) (Num, error) {
	d, err := NewBinomial(n, p)
	if err != nil {
		return Num{}, err
	}
	return d.CDF(x)
}

// Binomial is a distribution with what its evaluations have in common.
type Binomial struct {
	n        int64
	p, q     int64 // of success and of failure, in units of 2^-56
	lnP, lnQ Num   // unset if p or q is 0
	lgAll    Num   // ln Γ(n+1)
	domain   error // why no value between the ends can be computed
}

// NewBinomial prepares n trials of probability p. A distribution without trials
// is always at its end.
func NewBinomial(n int64, p Num) (Binomial, error) {
	d := Binomial{n: n}
	if n <= 0 {
		return d, nil
	}
	if p.hi != 0 || p.lo >= 1<<63 {
		return d, ErrOverflow
	}
	d.p, d.q = int64(p.lo), unit-int64(p.lo)
	if d.q < 0 {
		d.domain = ErrOverflow
		return d, nil
	}
	if d.p != 0 && d.q != 0 {
		var c Calc
		d.lnP, d.lnQ = Raw(ln(uint64(d.p))), Raw(ln(uint64(d.q)))
		d.lgAll = c.logGamma(n + 1)
		d.domain = c.Err()
	}
	return d, nil
}

// CDF is the probability of at most x successes.
func (d *Binomial) CDF(x int64) (Num, error) {
	switch {
	case x < 0:
		return Num{}, nil
	case x >= d.n:
		return One, nil
	case d.domain != nil:
		return Num{}, d.domain
	case d.n-x > MaxTrials || x+1 > MaxTrials:
		return Num{}, ErrOverflow
	}
	var c Calc
	v := d.incompleteBeta(&c, d.n-x, x+1)
	return v, c.Err()
}

// incompleteBeta is INC(a, b, q).
func (d *Binomial) incompleteBeta(c *Calc, a, b int64) Num {
	front := d.front(c, a, b)
	if Raw(d.q).Greater(c.Div(Int(a+1), Int(a+b+2))) {
		return c.Sub(One, tail(c, front, d.p, b, a))
	}
	return tail(c, front, d.q, a, b)
}

// front is q^a · p^b over the beta function.
func (d *Binomial) front(c *Calc, a, b int64) Num {
	if d.p == 0 || d.q == 0 {
		return Num{}
	}
	s := c.Sub(d.lgAll, c.logGamma(a))
	s = c.Sub(s, c.logGamma(b))
	s = c.Add(s, c.Mul(d.lnQ, Int(a)))
	s = c.Add(s, c.Mul(d.lnP, Int(b)))
	return c.exp(s)
}

func tail(c *Calc, front Num, x, a, b int64) Num {
	if front.IsZero() {
		return front
	}
	return c.Div(c.Mul(front, continuedFraction(c, Raw(x), a, b)), Int(a))
}

// continuedFraction is CF of spec 05 §2.7. It stops only once a step grows the
// value by less than the tolerance: a step that shrinks it compares as large.
func continuedFraction(c *Calc, x Num, a, b int64) Num {
	f := fraction{c: c, numerator: One}
	f.denominator = c.inverse(nonZero(c.Sub(One, c.Div(c.Mul(x, Int(a+b)), Int(a+1)))))
	h := f.denominator
	for m := int64(1); m < maxIterations; m++ {
		f.step(c.Div(c.Mul(x, Int(m*(b-m))), Int((a+2*m-1)*(a+2*m))))
		h = c.Mul(c.Mul(h, f.denominator), f.numerator)
		f.step(c.Div(c.Mul(Int(-(a+m)*(a+b+m)), x), Int((a+2*m)*(a+2*m+1))))
		delta := c.Mul(f.denominator, f.numerator)
		h = c.Mul(h, delta)
		if c.overflow || c.Sub(delta, One).Less(Raw(tolerance)) {
			return h
		}
	}
	return h
}

// fraction is the running state of Lentz's evaluation.
type fraction struct {
	c                      *Calc
	numerator, denominator Num
}

func (f *fraction) step(n Num) {
	f.denominator = f.c.inverse(nonZero(f.c.Add(f.c.Mul(n, f.denominator), One)))
	f.numerator = nonZero(f.c.Add(f.c.Div(n, f.numerator), One))
}

func nonZero(v Num) Num {
	if v.IsZero() {
		return Raw(1)
	}
	return v
}
