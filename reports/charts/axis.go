package charts

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
)

// scale maps values to canvas positions.
type scale struct {
	lo, hi   float64
	from, to vg.Length
	log      bool
}

func (s scale) at(v float64) vg.Length {
	a, b, x := s.lo, s.hi, v
	if s.log {
		a, b, x = math.Log(a), math.Log(b), math.Log(x)
	}
	if b == a {
		return (s.from + s.to) / 2
	}
	return s.from + (s.to-s.from)*vg.Length((x-a)/(b-a))
}

// tick is a labelled position of an axis.
type tick struct {
	value float64
	label string
}

// mostTicks ends an axis of numbers so large that their neighbours lie farther apart than its steps.
const mostTicks = 100

// ticks are round numbers inside lo..hi, about n of them, all with the same number of decimals and true minus signs.
func ticks(lo, hi float64, n int, signed bool) []tick {
	step, d := roundStep((hi - lo) / float64(max(n, 1)))
	if step == 0 {
		return []tick{{lo, reports.Number(lo, 2)}}
	}
	var ts []tick
	for k := math.Ceil(lo/step - 1e-9); k*step <= hi+step*1e-9 && len(ts) < mostTicks; k++ {
		v := k * step
		l := reports.Number(v, d)
		if signed {
			l = reports.Signed(v, d)
		}
		ts = append(ts, tick{v, l})
	}
	return ts
}

// wholeTicks are round whole numbers.
func wholeTicks(lo, hi float64, n int) []tick {
	step, _ := roundStep((hi - lo) / float64(max(n, 1)))
	step = max(1, math.Round(step))
	var ts []tick
	for k := math.Ceil(lo/step - 1e-9); k*step <= hi+1e-9 && len(ts) < mostTicks; k++ {
		if v := k * step; v != 0 || lo == 0 {
			ts = append(ts, tick{v, reports.Number(v, 0)})
		}
	}
	if len(ts) == 0 {
		ts = append(ts, tick{math.Round(lo), reports.Number(math.Round(lo), 0)})
	}
	return ts
}

// logTicks are 1, 2 and 5 times powers of ten inside lo..hi; only the powers where that would be too many.
func logTicks(lo, hi float64) []tick {
	var ts []tick
	leads := []float64{1, 2, 5}
	if math.Log10(hi/lo) > 2.2 {
		leads = leads[:1]
	}
	for e := math.Floor(math.Log10(lo)); e <= math.Ceil(math.Log10(hi)); e++ {
		for _, l := range leads {
			if v := l * math.Pow(10, e); v >= lo*(1-1e-9) && v <= hi*(1+1e-9) {
				ts = append(ts, tick{v, plain(v)})
			}
		}
	}
	return ts
}

func plain(v float64) string {
	if v >= 1e5 || v < 1e-5*(1-1e-9) {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return strconv.FormatFloat(v, 'f', max(0, -int(math.Floor(math.Log10(v)+1e-9))), 64)
}

// roundStep is the one of 1, 2, 5 times a power of ten that is nearest to raw by ratio, and its decimals.
func roundStep(raw float64) (step float64, decimals int) {
	if !(raw > 0) || math.IsInf(raw, 0) {
		return 0, 0
	}
	e := math.Floor(math.Log10(raw))
	best := math.Inf(1)
	for _, l := range []float64{1, 2, 5, 10} {
		s := l * math.Pow(10, e)
		if off := math.Abs(math.Log(s / raw)); off < best {
			best, step, decimals = off, s, max(0, -int(e))
			if l == 10 {
				decimals = max(0, -int(e)-1)
			}
		}
	}
	return step, decimals
}

// extent is the range of the finite values; ok is false without any.
func extent(vs ...float64) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range vs {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			lo, hi, ok = min(lo, v), max(hi, v), true
		}
	}
	return lo, hi, ok
}

// widen adds a share of the range at both ends, and makes room around a single value.
func widen(lo, hi, share float64) (float64, float64) {
	if d := hi - lo; d > 0 {
		return lo - share*d, hi + share*d
	}
	d := math.Abs(lo) * 0.05
	if d == 0 {
		d = 1
	}
	return lo - d, hi + d
}

// around is widen for scores, losses and costs: where all are 0, as a detector's that finds nothing, the axis has nothing below.
func around(lo, hi, share float64) (float64, float64) {
	if lo == 0 && hi == 0 {
		return 0, 1
	}
	return widen(lo, hi, share)
}

// robust is the range of some values. Unless they are bounded, as fractions are, it is cut where a few
// far out would squeeze all others: beyond eight times the middle half.
func robust(vs []float64, bounded bool) (lo, hi float64, ok bool) {
	v := slices.DeleteFunc(slices.Clone(vs), func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
	if len(v) == 0 {
		return 0, 0, false
	}
	slices.Sort(v)
	q1, q3 := v[len(v)/4], v[len(v)*3/4]
	reach := 8 * (q3 - q1)
	lo, hi = v[0], v[len(v)-1]
	if reach > 0 && !bounded {
		lo, hi = max(lo, q1-reach), min(hi, q3+reach)
	}
	return lo, hi, true
}

// frame is the data area of a panel with its scales.
type frame struct {
	x, y scale
}

// grid draws horizontal lines and their labels, left of the data area.
func (c *canvas) grid(f frame, ts []tick) {
	for _, t := range ts {
		y := f.y.at(t.value)
		c.line(Line, 0.6, pt(f.x.from, y), pt(f.x.to, y))
		c.text(tickStyle, t.label, pt(f.x.from-4, y), right)
	}
}

// below draws labels under the data area, leaving out those that would touch their neighbour.
func (c *canvas) below(f frame, ts []tick) {
	end := vg.Length(math.Inf(-1))
	for _, t := range ts {
		x := f.x.at(t.value)
		w := tickStyle.width(t.label)
		if x-w/2 < end+4 {
			continue
		}
		end = x + w/2
		c.text(tickStyle, t.label, pt(x, f.y.from-8), centre)
	}
}

func tickWidth(ts []tick) (w vg.Length) {
	for _, t := range ts {
		w = max(w, tickStyle.width(t.label))
	}
	return w
}
