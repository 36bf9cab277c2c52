package sweeptest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// Race is a search played without an engine: workers that train points of known curves side by side, one epoch each in turn, under a
// pruner and, if it has one, its promoter.
type Race struct {
	Pruner    sweep.Pruner // nil: none
	Direction trials.Direction
	Epochs    int
	Workers   int
	Points    int
	Value     func(point, epoch int) float64 // the objective
	Order     *rand.Rand                     // which worker is next; nil: in turn

	History sweep.History
	Trained int            // epochs
	Most    map[[2]int]int // by point and epoch: how often it was trained
	Links   [][]int        // by point: numbers of its trials
}

// Run plays the race to its end.
func (r *Race) Run(t testing.TB) {
	t.Helper()
	space := trials.Space{{Name: "x", Kind: trials.Float, Low: 0, High: 1}}
	r.History = Empty(space, r.Direction)
	r.Most, r.Links = map[[2]int]int{}, make([][]int, r.Points)
	var running []*trials.Trial
	suggested := 0
	for {
		for len(running) < r.Workers {
			tr := r.next(t, &suggested)
			if tr == nil {
				break
			}
			running = append(running, tr)
			r.open(running)
		}
		if len(running) == 0 {
			return
		}
		i := 0
		if r.Order != nil {
			i = r.Order.IntN(len(running))
		}
		tr := running[i]
		running = slices.Delete(running, i, i+1)
		r.epoch(t, tr)
		if tr.State == trials.Running {
			running = append(running, tr)
		}
		r.open(running)
		if tr.State != trials.Running {
			r.History = Add(r.History, *tr)
		}
	}
}

// open sets the history's open trials.
func (r *Race) open(running []*trials.Trial) {
	r.History.Open = nil
	for _, tr := range running {
		c := tr.Clone()
		r.History.Open = append(r.History.Open, &c)
	}
}

func (r *Race) count() int {
	n := 0
	for _, l := range r.Links {
		n += len(l)
	}
	return n
}

// next is a promoted trial, else a new point's, else nil.
func (r *Race) next(t testing.TB, suggested *int) *trials.Trial {
	t.Helper()
	if m, ok := r.Pruner.(sweep.Promoter); ok {
		n, ok, err := m.Promote(r.History)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			return r.promote(t, n)
		}
	}
	if *suggested == r.Points {
		return nil
	}
	i := *suggested
	*suggested++
	tr := Trial(r.count(), trials.Suggestion{Space: r.History.Space, Params: trials.Params{"x": float64(i) / float64(r.Points)}})
	tr.State, tr.Key = trials.Running, fmt.Sprintf("suggestion-%04d", i)
	tr.Attrs = map[string]json.RawMessage{"point": trials.Attr(i)}
	if b, ok := r.Pruner.(sweep.Bracketer); ok {
		tr.Attrs[trials.AttrBracket] = trials.Attr(b.Bracket(i))
	}
	r.Links[i] = append(r.Links[i], tr.Number)
	return &tr
}

// promote makes the trial that continues number n.
func (r *Race) promote(t testing.TB, n int) *trials.Trial {
	t.Helper()
	i := slices.IndexFunc(r.History.Finished, func(o *trials.Trial) bool { return o.Number == n && o.Counts() })
	if i < 0 || r.History.Finished[i].State != trials.Pruned {
		t.Fatalf("promoted trial %d, which is no pruned one that waits", n)
	}
	old := r.History.Finished[i].Clone()
	tr := old.Clone()
	tr.ID, tr.Number, tr.State, tr.Values, tr.Measurements = int64(r.count()+1), r.count(), trials.Running, nil, nil
	tr.Attrs[trials.AttrContinues] = trials.Attr(n)
	tr.Key = old.Key + "^"
	old.Attrs[trials.AttrContinued] = trials.Attr(tr.Number)
	r.History = Add(r.History, old) // changed after its end: it comes again
	p := pointOf(tr)
	r.Links[p] = append(r.Links[p], tr.Number)
	return &tr
}

func pointOf(t trials.Trial) int { n, _ := t.Integer("point"); return int(n) }

// epoch trains one epoch of a trial and asks the pruner.
func (r *Race) epoch(t testing.TB, tr *trials.Trial) {
	t.Helper()
	find := func(n int) (*trials.Trial, bool) {
		i := slices.IndexFunc(r.History.Finished, func(o *trials.Trial) bool { return o.Number == n })
		return r.History.Finished[max(i, 0)], i >= 0
	}
	curve := tr.Curve(find)
	e := 1
	if n := len(curve); n > 0 {
		e = curve[n-1].Epoch + 1
	}
	p := pointOf(*tr)
	r.Trained++
	r.Most[[2]int{p, e}]++
	v := r.Value(p, e)
	tr.Measurements = append(tr.Measurements, trials.Measurement{Epoch: e, Metrics: map[string]float64{Metric: v}})
	if e >= r.Epochs {
		tr.State, tr.Values = trials.Complete, []float64{v}
		return
	}
	if r.Pruner == nil {
		return
	}
	seen := tr.Clone()
	seen.Measurements = tr.Curve(find) // as the engine gives it
	stop, err := r.Pruner.Prune(Add(r.History, *tr), seen)
	if err != nil {
		t.Fatal(err)
	}
	if stop {
		tr.State, tr.Values = trials.Pruned, []float64{v}
	}
}
