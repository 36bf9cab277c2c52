package reports

import (
	"math"
	"slices"
	"sort"

	"github.com/mapsweep/mapsweep/trials"
)

// Point is a metric at an epoch (from 1).
type Point struct {
	Epoch int
	Value float64
}

// Curve is one trial's metric over epochs. Epochs where it was not measured, or was no number, are left out.
type Curve struct {
	Trial  int
	Points []Point
}

// Band is the spread of several curves at an epoch: median and the middle 80 % of N trials.
type Band struct {
	Epoch             int
	Low, Median, High float64
	N                 int
}

// CurveOf reads a trial's curve of a metric.
func CurveOf(t trials.Trial, metric string) Curve {
	c := Curve{Trial: t.Number}
	for _, m := range t.Measurements {
		if v, ok := m.Metrics[metric]; ok && finite(v) {
			c.Points = append(c.Points, Point{Epoch: m.Epoch, Value: v})
		}
	}
	return c
}

// Curves reads the arm's curves of a metric, without empty ones.
func (a Arm) Curves(metric string) []Curve {
	var cs []Curve
	for _, t := range a.Trials {
		if c := CurveOf(t, metric); len(c.Points) > 0 {
			cs = append(cs, c)
		}
	}
	return cs
}

// Bands summarises curves epoch by epoch, over the trials that were measured there.
func Bands(cs []Curve) []Band {
	at := map[int][]float64{}
	for _, c := range cs {
		for _, p := range c.Points {
			at[p.Epoch] = append(at[p.Epoch], p.Value)
		}
	}
	bs := make([]Band, 0, len(at))
	for e, v := range at {
		sort.Float64s(v)
		bs = append(bs, Band{Epoch: e, Low: quantile(v, 0.1), Median: quantile(v, 0.5), High: quantile(v, 0.9), N: len(v)})
	}
	slices.SortFunc(bs, func(a, b Band) int { return a.Epoch - b.Epoch })
	return bs
}

// quantile interpolates linearly between order statistics (numpy's default, R's type 7); v is sorted and not empty.
func quantile(v []float64, q float64) float64 {
	h := q * float64(len(v)-1)
	i := int(math.Floor(h))
	if i+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[i] + (h-float64(i))*(v[i+1]-v[i])
}

// MetricKeys lists every metric that was measured, sorted.
func (s *Snapshot) MetricKeys() []string {
	seen := map[string]bool{}
	var ks []string
	for _, t := range s.Trials {
		for _, m := range t.Measurements {
			for k := range m.Metrics {
				if !seen[k] {
					seen[k] = true
					ks = append(ks, k)
				}
			}
		}
	}
	slices.Sort(ks)
	return ks
}

// At is a trial's metric at the epoch that gave its objective: the recorded one, else the last.
func At(t trials.Trial, metric string) (float64, bool) {
	n := len(t.Measurements)
	if n == 0 {
		return math.NaN(), false
	}
	m := t.Measurements[n-1]
	if e, ok := t.Integer(trials.AttrScoreEpoch); ok {
		for _, x := range t.Measurements {
			if int64(x.Epoch) == e {
				m = x
			}
		}
	}
	v, ok := m.Metrics[metric]
	return v, ok && finite(v)
}

// MetricMean is mean and spread of a metric over the arm's complete trials, at their scored epochs.
func (a Arm) MetricMean(metric string) (mean, sd float64, n int) {
	var v []float64
	for _, t := range a.Trials {
		if t.State != trials.Complete {
			continue
		}
		if x, ok := At(t, metric); ok {
			v = append(v, x)
		}
	}
	mean, sd = MeanSD(v)
	return mean, sd, len(v)
}
