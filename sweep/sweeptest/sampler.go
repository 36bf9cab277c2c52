package sweeptest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"sync"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// Everything has a parameter of every kind. Each discrete one has few values.
func Everything() trials.Space {
	return trials.Space{
		{Name: "float", Kind: trials.Float, Low: -1, High: 2},
		{Name: "log", Kind: trials.Float, Low: 1e-5, High: 1e-1, Log: true},
		{Name: "grid", Kind: trials.Float, Low: 0, High: 0.3, Step: 0.1},
		{Name: "int", Kind: trials.Int, Low: 0, High: 3},
		{Name: "step", Kind: trials.Int, Low: -2, High: 5, Step: 3},
		{Name: "logint", Kind: trials.Int, Low: 1, High: 4, Log: true},
		{Name: "single", Kind: trials.Float, Low: 0.5, High: 0.5},
		{Name: "one", Kind: trials.Categorical, Choices: []any{"only"}},
		{Name: "switch", Kind: trials.Categorical, Choices: []any{false, true}},
		{Name: "typed", Kind: trials.Categorical, Choices: []any{"sgd", nil, int64(3), 2.5}},
	}
}

// discrete lists the values of the parameters of Everything that have few.
func discrete() map[string][]any {
	return map[string][]any{
		"grid": {0.0, 0.1, 0.2, 0.3}, "int": {int64(0), int64(1), int64(2), int64(3)}, "step": {int64(-2), int64(1), int64(4)},
		"logint": {int64(1), int64(2), int64(3), int64(4)}, "single": {0.5}, "one": {"only"},
		"switch": {false, true}, "typed": {"sgd", nil, int64(3), 2.5},
	}
}

// noise is a fixed value in [0, 1) for each number, without structure.
func noise(n int, _ trials.Params) float64 {
	_, f := math.Modf(float64(n+1) * 0.6180339887498949)
	return f
}

// TestSampler runs the conformance suite on what newSampler makes.
func TestSampler(t *testing.T, newSampler sweep.NewSampler) {
	s := samplers{newSampler}
	t.Run("stays in range", s.inRange)
	t.Run("reaches every discrete value", s.reaches)
	t.Run("depends on history and stream alone", s.pure)
	t.Run("keeps requirements", s.requires)
	t.Run("copes with any history", s.anyHistory)
	t.Run("copes with an edited space", s.edited)
	t.Run("one parameter", s.oneParameter)
	t.Run("asked from several goroutines", s.concurrent)
	t.Run("refuses an empty space", s.empty)
	t.Run("refuses unknown options", s.optionsRefused)
	t.Run("keeps off forbidden combinations", s.forbidden)
	t.Run("says when all is forbidden", s.allForbidden)
	t.Run("trials under way", s.underWay)
	t.Run("follows a study as if made anew", s.grows)
	t.Run("several objectives", s.objectives)
}

type samplers struct{ make sweep.NewSampler }

func (s samplers) new(t *testing.T, space trials.Space) sweep.Sampler {
	t.Helper()
	sm, err := s.make(sweep.SamplerConfig{Seed: 3, Space: space, Trials: 40})
	if err != nil {
		t.Fatalf("make sampler: %v", err)
	}
	return sm
}

// checkPoint wants a value in range for every parameter that is active, and nothing else.
func checkPoint(t *testing.T, h sweep.History, sg *trials.Trial) {
	t.Helper()
	want := 0
	for _, p := range h.Space {
		_, listed := sg.Space.Lookup(p.Name)
		v, has := sg.Params[p.Name]
		active := sweep.Active(p, h.Space, sg.Params, h.Fixed)
		if active != listed || active != has {
			t.Errorf("trial %d: %s active %v, in its space %v, has a value %v (%s)", sg.Number, p.Name, active, listed, has, sg.Params.Key())
		}
		if !active {
			continue
		}
		want++
		if !p.Contains(v) {
			t.Errorf("trial %d: %s = %#v is out of range", sg.Number, p.Name, v)
		}
		if _, whole := v.(int64); p.Kind == trials.Int && !whole || p.Kind == trials.Float && reflect.TypeOf(v).Kind() != reflect.Float64 {
			t.Errorf("trial %d: %s is a %T", sg.Number, p.Name, v)
		}
	}
	if len(sg.Params) != want || len(sg.Space) != want {
		t.Errorf("trial %d: %d values and %d parameters for %d active ones", sg.Number, len(sg.Params), len(sg.Space), want)
	}
}

func (s samplers) inRange(t *testing.T) {
	h := Play(t, s.new(t, Everything()), Empty(Everything(), trials.Maximize), 3, 40, noise)
	for _, tr := range h.All() {
		checkPoint(t, h, tr)
	}
}

func (s samplers) reaches(t *testing.T) {
	h := Play(t, s.new(t, Everything()), Empty(Everything(), trials.Maximize), 5, 100, noise)
	for name, values := range discrete() {
		for _, v := range values {
			n := 0
			for _, tr := range h.All() {
				if w := tr.Params[name]; trials.SameValue(v, w) || near(v, w) {
					n++
				}
			}
			if n == 0 {
				t.Errorf("%s was never %s in %d trials", name, trials.FormatValue(v), len(h.All()))
			}
		}
	}
}

func near(a, b any) bool {
	x, ok := trials.Number(a)
	y, ok2 := trials.Number(b)
	return ok && ok2 && math.Abs(x-y) < 1e-9
}

func (s samplers) pure(t *testing.T) {
	sm := s.new(t, Everything())
	h := Play(t, sm, Empty(Everything(), trials.Maximize), 7, 30, noise)
	before := printed(t, h)
	want, err := sm.Suggest(t.Context(), h, sweep.Rand(7, 30, 0))
	if err != nil {
		t.Fatal(err)
	}
	if printed(t, h) != before {
		t.Error("Suggest changed the history")
	}
	fresh := s.new(t, Everything())
	for range 3 {
		got, err := fresh.Suggest(t.Context(), h, sweep.Rand(7, 30, 0))
		if err != nil || got.Params.Key() != want.Params.Key() {
			t.Fatalf("same history and stream gave %s (%v), before %s", got.Params.Key(), err, want.Params.Key())
		}
	}
	again := Play(t, fresh, Empty(Everything(), trials.Maximize), 7, 30, noise)
	if printed(t, again) != before {
		t.Error("the same study played twice differs")
	}
	other, err := s.make(sweep.SamplerConfig{Seed: 4, Space: Everything(), Trials: 40})
	if err != nil {
		t.Fatal(err)
	}
	if printed(t, Play(t, other, Empty(Everything(), trials.Maximize), 8, 30, noise)) == before {
		t.Error("another seed plays the same study")
	}
}

func printed(t *testing.T, h sweep.History) string {
	t.Helper()
	b, err := json.Marshal(h.All())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (s samplers) requires(t *testing.T) {
	space := trials.Space{
		{Name: "grandchild", Kind: trials.Float, Low: 0, High: 1, Requires: trials.Params{"child": "on"}},
		{Name: "child", Kind: trials.Categorical, Choices: []any{"on", "off"}, Requires: trials.Params{"mosaic": true}},
		{Name: "mosaic", Kind: trials.Categorical, Choices: []any{true, false}},
		{Name: "fits", Kind: trials.Int, Low: 1, High: 3, Requires: trials.Params{"backbone": "small"}},
		{Name: "never", Kind: trials.Int, Low: 1, High: 3, Requires: trials.Params{"backbone": "large"}},
		{Name: "x", Kind: trials.Float, Low: 0, High: 1},
		{Name: "y", Kind: trials.Float, Low: 0, High: 1},
	}
	h := Play(t, s.new(t, space), Empty(space, trials.Minimize), 3, 40, noise)
	seen := map[string]int{}
	for _, tr := range h.All() {
		checkPoint(t, h, tr)
		for name := range tr.Params {
			seen[name]++
		}
	}
	if seen["grandchild"] == 0 || seen["grandchild"] >= seen["child"] || seen["child"] >= 40 || seen["fits"] != 40 || seen["never"] != 0 {
		t.Errorf("how often each parameter had a value in 40 trials: %v", seen)
	}
}

// AnyHistory is 24 trials of all states, with NaN, infinite and missing objectives, and values that
// the space does not have.
func AnyHistory(space trials.Space, d trials.Direction) sweep.History {
	h := Empty(space, d)
	point := func(i int) trials.Suggestion {
		p := trials.Params{}
		for _, q := range space {
			switch {
			case q.Kind == trials.Categorical:
				p[q.Name] = q.Choices[i%len(q.Choices)]
			case q.Kind == trials.Int:
				p[q.Name] = int64(q.Low) + int64(i%2)*int64(q.High-q.Low)
			default:
				p[q.Name] = q.Low + float64(i%2)*(q.High-q.Low)
			}
		}
		return trials.Suggestion{Space: space, Params: p}
	}
	states := []trials.State{trials.Complete, trials.Pruned, trials.Fail, trials.Running, trials.Waiting, trials.Complete}
	for i := range 24 {
		tr := Trial(i, point(i), 0.1, 0.2*noise(i, nil))
		tr.State = states[i%len(states)]
		if tr.State != trials.Complete {
			tr.Values = nil
		}
		h = Add(h, tr)
	}
	h.All()[1].Measurements = nil                                                // pruned without a value
	h.All()[3].Measurements[1].Metrics = map[string]float64{Metric: math.NaN()}  // running into NaN
	h.All()[7].Measurements[1].Metrics = map[string]float64{Metric: math.Inf(1)} // pruned at infinity
	h.All()[9].Measurements = []trials.Measurement{{Epoch: 1, Metrics: nil}}     // running, objective missing
	h.All()[6].Values = nil                                                      // complete without a value
	h.All()[8].Attrs = map[string]json.RawMessage{trials.AttrClass: []byte(`"diverged"`)}
	h.All()[12].Space, h.All()[12].Params = nil, trials.Params{} // enqueued by hand
	for _, q := range space {
		if q.Kind == trials.Float {
			h.All()[18].Params[q.Name] = math.NaN()
		}
	}
	h.All()[23].Params = trials.Params{"float": "text", "int": 1e9, "typed": "none of them"}
	return h
}

func (s samplers) anyHistory(t *testing.T) {
	for _, d := range []trials.Direction{trials.Maximize, trials.Minimize} {
		h := AnyHistory(Everything(), d)
		n := len(h.All())
		h = Play(t, s.new(t, Everything()), h, 3, 20, noise)
		for _, tr := range h.All()[n:] {
			checkPoint(t, h, tr)
		}
	}
}

// edited: a study file was edited between two runs, so that older trials lie outside the range.
func (s samplers) edited(t *testing.T) {
	wide := trials.Space{{Name: "x", Kind: trials.Float, Low: 0, High: 10}, {Name: "y", Kind: trials.Float, Low: 0, High: 1}}
	h := Play(t, s.new(t, wide), Empty(wide, trials.Maximize), 3, 20, noise)
	h.Space = trials.Space{{Name: "x", Kind: trials.Float, Low: 0, High: 1}, {Name: "y", Kind: trials.Float, Low: 0, High: 1},
		{Name: "z", Kind: trials.Int, Low: 1, High: 3}}
	h = Play(t, s.new(t, h.Space), h, 3, 20, noise)
	for _, tr := range h.All()[20:] {
		checkPoint(t, h, tr)
	}
}

func (s samplers) oneParameter(t *testing.T) {
	for _, p := range Everything() {
		space := trials.Space{p}
		h := Play(t, s.new(t, space), Empty(space, trials.Minimize), 3, 15, noise)
		for _, tr := range h.All() {
			checkPoint(t, h, tr)
		}
	}
}

func (s samplers) concurrent(t *testing.T) {
	sm := s.new(t, Everything())
	h := Play(t, sm, Empty(Everything(), trials.Maximize), 3, 15, noise)
	keys := make([]string, 4)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			sg, err := sm.Suggest(context.Background(), h, sweep.Rand(3, 15, 0))
			keys[i] = fmt.Sprint(sg.Params.Key(), err)
		})
	}
	wg.Wait()
	for _, k := range keys[1:] {
		if k != keys[0] {
			t.Errorf("asked at once: %s and %s", keys[0], k)
		}
	}
}

func (s samplers) empty(t *testing.T) {
	sm, err := s.make(sweep.SamplerConfig{Seed: 1, Trials: 10})
	if err == nil {
		_, err = sm.Suggest(t.Context(), Empty(nil, trials.Maximize), sweep.Rand(1, 0, 0))
	}
	if err == nil {
		t.Error("a search over nothing was accepted")
	}
}
