package diagnosis

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// point is a metric at an epoch, from 1.
type point struct {
	epoch int
	v     float64
}

// series is a metric over epochs, finite values only, in order.
type series []point

func (s series) first() point { return s[0] }
func (s series) last() point  { return s[len(s)-1] }

// until is the last point at or before an epoch.
func (s series) until(epoch int) (point, bool) {
	for _, p := range slices.Backward(s) {
		if p.epoch <= epoch {
			return p, true
		}
	}
	return point{}, false
}

// at is the point of an epoch.
func (s series) at(epoch int) (point, bool) {
	p, ok := s.until(epoch)
	return p, ok && p.epoch == epoch
}

// after are the points behind an epoch.
func (s series) after(epoch int) series {
	for i, p := range s {
		if p.epoch > epoch {
			return s[i:]
		}
	}
	return nil
}

// tail are the last n points.
func (s series) tail(n int) series { return s[max(0, len(s)-n):] }

func (s series) values() []float64 {
	v := make([]float64, len(s))
	for i, p := range s {
		v[i] = p.v
	}
	return v
}

// lowest is the first point with the smallest value.
func (s series) lowest() point {
	low := s[0]
	for _, p := range s {
		if p.v < low.v {
			low = p
		}
	}
	return low
}

// settled is the median of the last three points: one odd epoch does not decide.
func (s series) settled() float64 { return median(s.tail(3).values()) }

// line fits a straight line by least squares and returns its slope per epoch and the residuals.
func (s series) line() (slope float64, residuals []float64) {
	n := float64(len(s))
	var mx, my float64
	for _, p := range s {
		mx += float64(p.epoch) / n
		my += p.v / n
	}
	var sxy, sxx float64
	for _, p := range s {
		dx := float64(p.epoch) - mx
		sxy += dx * (p.v - my)
		sxx += dx * dx
	}
	if sxx > 0 {
		slope = sxy / sxx
	}
	for _, p := range s {
		residuals = append(residuals, p.v-my-slope*(float64(p.epoch)-mx))
	}
	return slope, residuals
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// median of v, which is not empty.
func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	if n%2 == 1 {
		return v[n/2]
	}
	return (v[n/2-1] + v[n/2]) / 2
}

// largest is a size from which on a metric counts as infinite: sums of such values overflow.
const largest = 1e100

// trace is a run with its curves by metric.
type trace struct {
	Run
	curves map[string]series
	broken map[string]int // first epoch at which a metric was no finite number
	epochs []int          // that were measured
	times  []trials.Measurement
}

// newTrace sorts the measurements. Of an epoch that was measured twice (before and after a resume) the last one counts.
func newTrace(r Run) *trace {
	t := &trace{Run: r, curves: map[string]series{}, broken: map[string]int{}}
	ms := slices.Clone(r.Curve)
	slices.SortStableFunc(ms, func(a, b trials.Measurement) int { return cmp.Compare(a.Epoch, b.Epoch) })
	for i, m := range ms {
		if i+1 < len(ms) && ms[i+1].Epoch == m.Epoch || m.Epoch < 1 {
			continue
		}
		t.epochs = append(t.epochs, m.Epoch)
		t.times = append(t.times, m)
		for k, v := range m.Metrics {
			if finite(v) && math.Abs(v) < largest {
				t.curves[k] = append(t.curves[k], point{m.Epoch, v})
			} else if _, seen := t.broken[k]; !seen {
				t.broken[k] = m.Epoch
			}
		}
	}
	for k, s := range t.curves { // val losses that the dual script never computes, in runs read from its file
		if strings.HasPrefix(k, "val-loss/") && !slices.ContainsFunc(s, func(p point) bool { return p.v != 0 }) {
			delete(t.curves, k)
		}
	}
	return t
}

// last is the last epoch that was measured; 0: none.
func (t *trace) last() int {
	if len(t.epochs) == 0 {
		return 0
	}
	return t.epochs[len(t.epochs)-1]
}

// isScore says that a metric is an average precision or the like: a fraction that people read in points.
func isScore(metric string) bool {
	m := strings.ToLower(metric)
	m = strings.TrimPrefix(m, "coco/")
	for _, p := range []string{"map", "ap/", "ap-", "ap50", "ap75", "ar-", "ar/", "ar1"} {
		if strings.HasPrefix(m, p) {
			return true
		}
	}
	return m == "ap" || m == "ar" || m == "precision" || m == "recall" || m == "f1" || m == "fitness"
}

// progress is the metric by which training is followed: the official code's fitness where it is, else the
// objective if it measures what was learned, else mAP. low says that smaller is better.
func (t *trace) progress() (metric string, s series, low, ok bool) {
	candidates := []string{t.Objective.Metric, "mAP50-95", "mAP50"}
	if t.Backend == backendYOLOv9 {
		candidates = append([]string{"fitness"}, candidates...)
	}
	for _, m := range candidates {
		if m == "" || isResource(m) {
			continue
		}
		if s := t.curves[m]; len(s) > 0 {
			return m, s, m == t.Objective.Metric && t.Objective.Direction == trials.Minimize, true
		}
	}
	return "", nil, false, false
}

// scored is the objective where it is a score, so that it can be held against its spread over seeds, else progress.
func (t *trace) scored() (metric string, s series, low, ok bool) {
	if m := t.Objective.Metric; isScore(m) && len(t.curves[m]) > 0 {
		return m, t.curves[m], t.Objective.Direction == trials.Minimize, true
	}
	return t.progress()
}

// isResource says that a metric is of the machine and not of the detector.
func isResource(metric string) bool {
	for _, p := range []string{"gpu/", "cpu/", "host/", "time/", "lr/", "model/"} {
		if strings.HasPrefix(metric, p) {
			return true
		}
	}
	return false
}

// unitOf is how a metric's numbers are read.
func unitOf(metric string) Unit {
	if isScore(metric) {
		return Score
	}
	return Plain
}

// spread is the standard deviation of residuals of a straight line.
func spread(residuals []float64) float64 {
	if len(residuals) < 3 {
		return math.NaN()
	}
	sum := 0.0
	for _, x := range residuals {
		sum += x * x
	}
	return math.Sqrt(sum / float64(len(residuals)-2))
}
