package reports

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Verdict is what may be concluded about an arm.
type Verdict string

// The verdicts. "not shown" is not "no effect": the interval leaves room for both.
const (
	Better     Verdict = "better"
	Worse      Verdict = "worse"
	Equivalent Verdict = "equivalent"
	NotShown   Verdict = "not shown"
	Untested   Verdict = "not tested" // fewer than two pairs: nothing can be said
)

// alpha is the level of every test and interval in a report.
const alpha = 0.05

// power is the chance with which Block.Smallest would have been seen.
const power = 0.8

// Effect is an arm against the baseline: differences of trials with the same seed.
type Effect struct {
	Arm         string // name
	Label       string
	N           int     // pairs
	Mean        float64 // of the differences, in the metric's unit
	SD          float64 // of the differences; NaN with fewer than two
	Low, High   float64 // t interval at 95 %, this arm alone
	P           float64 // two-sided, this arm alone
	Holm        float64 // corrected over the block's arms
	Correlation float64 // of the arm and the baseline over seeds; NaN where it cannot be told
	Verdict     Verdict
}

// compare fills the block's effects, best arm and smallest visible effect.
func (s *Snapshot) compare(b *Block) {
	base, ok := b.Baseline()
	if !ok {
		return
	}
	for _, a := range b.Arms {
		if !a.Baseline {
			x, y := pairs(*base, a)
			b.Effects = append(b.Effects, paired(a, x, y))
		}
	}
	correct(b.Effects)
	for i := range b.Effects {
		b.Effects[i].Verdict = s.verdict(b.Effects[i], b.Margin)
	}
	b.Smallest = smallest(b.Effects)
	b.Best = s.best(b)
}

// pairs are the scores of two arms at the seeds that both have.
func pairs(base, arm Arm) (x, y []float64) {
	at := map[[2]int64]float64{}
	for _, c := range base.Scores {
		at[[2]int64{int64(c.Replicate), c.Seed}] = c.Value
	}
	for _, c := range arm.Scores {
		if v, ok := at[[2]int64{int64(c.Replicate), c.Seed}]; ok {
			x = append(x, v)
			y = append(y, c.Value)
		}
	}
	return x, y
}

func paired(a Arm, x, y []float64) Effect {
	nan := math.NaN()
	e := Effect{Arm: a.Name, Label: a.Label, N: len(x), Low: nan, High: nan, P: nan, Holm: nan, Correlation: nan}
	d := make([]float64, len(x))
	for i := range x {
		d[i] = y[i] - x[i]
	}
	e.Mean, e.SD = MeanSD(d)
	if e.N < 2 {
		return e
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(e.N - 1)}
	se := e.SD / math.Sqrt(float64(e.N))
	h := t.Quantile(1-alpha/2) * se
	e.Low, e.High = e.Mean-h, e.Mean+h
	switch {
	case se > 0:
		e.P = 2 * t.Survival(math.Abs(e.Mean)/se)
	case e.Mean != 0:
		e.P = 0
	default:
		e.P = 1
	}
	return e
}

func correct(es []Effect) {
	for i := range es {
		es[i].Holm = es[i].P
	}
}

func (s *Snapshot) verdict(e Effect, margin float64) Verdict {
	switch {
	case e.N < 2:
		return Untested
	case e.Holm < alpha && s.Metric.Gain(e.Mean) > 0:
		return Better
	case e.Holm < alpha:
		return Worse
	case margin > 0 && e.Low >= -margin && e.High <= margin:
		return Equivalent
	}
	return NotShown
}

func smallest(es []Effect) float64 { return math.NaN() }

func (s *Snapshot) best(b *Block) int { return -1 }
