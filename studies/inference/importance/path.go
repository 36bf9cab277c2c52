package importance

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Path walks from one configuration to another, one knob at a time, each time the one that brings most (Fawcett and
// Hoos 2016). What comes late may have brought more if it had come first: see Shapley values.
type Path struct {
	From      string   `json:"from"`
	To        string   `json:"to"`
	Predicted bool     `json:"predicted"` // scores are a model's, not measured (Biedenkapp et al. 2017)
	Start     float64  `json:"start"`
	End       float64  `json:"end"`
	Steps     []Move   `json:"steps"`
	Idle      []string `json:"idle,omitempty"` // knobs that differ and do not matter at the end
	Notes     []string `json:"notes,omitempty"`
}

// Move is one knob changed.
type Move struct {
	Name  string           `json:"name"`
	From  any              `json:"from"`
	To    any              `json:"to"`
	Score float64          `json:"score"` // after it
	Gain  inference.Effect `json:"gain"`  // over replicates; where it is predicted only its Mean and SD, over the trees of the model, are set
	Share float64          `json:"share"` // of the whole gain; below 0 for a step back
}

// Flip is a knob in which two configurations differ.
type Flip struct {
	Name     string
	From, To any
	Requires trials.Params // values of others without which it does not matter
}

// Walk is what a path is found with. Scores are those of a configuration, by replicate or by tree; empty where it has none.
type Walk struct {
	From, To  string
	Start     trials.Params
	Flips     []Flip
	Scores    func(trials.Params) map[int]float64
	Predicted bool
	Option    inference.Options
}

// Find walks the path. A knob is changed only where it matters: after those that it requires. The error is
// inference.Nothing where the end is no better than the start, as there is then no gain to explain.
func (w Walk) Find() (Path, error) {
	p := Path{From: w.From, To: w.To, Predicted: w.Predicted}
	end := w.Start.Clone()
	for _, f := range w.Flips {
		end[f.Name] = f.To
	}
	left := w.live(end, &p)
	if len(left) == 0 {
		return p, inference.Nothing(w.From + " and " + w.To + " do not differ in a knob that matters")
	}
	goal := w.Start.Clone()
	for _, f := range left {
		goal[f.Name] = f.To
	}
	if _, err := w.gain(w.Scores(w.Start), w.Scores(goal)); err != nil {
		return p, err
	}
	return w.settle(p, left, goal)
}

// walk goes from the start to the goal.
func (w Walk) walk(p Path, left []Flip, goal trials.Params) (Path, error) {
	now, last := w.Scores(w.Start), w.Scores(goal)
	whole, err := w.gain(now, last)
	if err != nil {
		return p, err
	}
	p.Start, p.End = inference.Summarize(values(now)).Mean, inference.Summarize(values(last)).Mean
	at := w.Start.Clone()
	left = slices.Clone(left)
	for len(left) > 0 {
		k, e, scores := w.best(at, now, left)
		if k < 0 {
			return p, inference.Nothing(fmt.Sprintf("no configuration between %s and %s has a score with %s changed: a path needs them", w.From, w.To, names(left)))
		}
		f := left[k]
		at[f.Name] = f.To
		now = scores
		p.Steps = append(p.Steps, Move{Name: f.Name, From: f.From, To: f.To, Gain: e,
			Score: inference.Summarize(values(scores)).Mean, Share: e.Mean / whole})
		left = slices.Delete(left, k, k+1)
	}
	p.Notes = w.notes()
	return p, nil
}

// live are the flips that matter at the end; the others are named as idle.
func (w Walk) live(end trials.Params, p *Path) []Flip {
	var out []Flip
	for _, f := range w.Flips {
		if end.Meets(f.Requires) {
			out = append(out, f)
		} else {
			p.Idle = append(p.Idle, f.Name)
		}
	}
	return out
}

// gain is how much better the end is, or why there is nothing to explain.
func (w Walk) gain(start, end map[int]float64) (float64, error) {
	a, b := inference.Summarize(values(start)), inference.Summarize(values(end))
	what := "scored"
	if w.Predicted {
		what = "is predicted"
	}
	switch {
	case a.N == 0:
		return 0, inference.Nothing(w.From + " has no score")
	case b.N == 0:
		return 0, inference.Nothing(w.To + " has no score")
	case (b.Mean > a.Mean) == w.Option.Minimize || b.Mean == a.Mean:
		return 0, inference.Nothing(fmt.Sprintf("%s %s no better than %s: there is no gain to explain", w.To, what, w.From))
	}
	return b.Mean - a.Mean, nil
}

// best is the flip with the largest gain among those that matter now; -1 if none has a score.
func (w Walk) best(at trials.Params, now map[int]float64, left []Flip) (k int, e inference.Effect, scores map[int]float64) {
	k = -1
	most := math.Inf(-1)
	for i, f := range left {
		if !w.ready(at, f, left) {
			continue
		}
		s := w.Scores(at.With(trials.Params{f.Name: f.To}))
		step := w.step(now, s)
		if math.IsNaN(step) {
			continue
		}
		if w.Option.Minimize {
			step = -step
		}
		if step > most {
			k, most, scores = i, step, s
		}
	}
	if k < 0 {
		return k, e, nil
	}
	e = inference.Compare(now, scores, w.Option)
	if w.Predicted {
		e = inference.Effect{Mean: e.Mean, SD: e.SD, N: e.N, Low: math.NaN(), High: math.NaN(), SE: math.NaN(), DF: math.NaN(), P: math.NaN(),
			PHolm: math.NaN(), WideLow: math.NaN(), WideHigh: math.NaN(), Correlation: math.NaN()}
	}
	return k, e, scores
}

// ready says that a knob matters here, or that nothing that is left would make it.
func (w Walk) ready(at trials.Params, f Flip, left []Flip) bool {
	if at.Meets(f.Requires) {
		return true
	}
	return !slices.ContainsFunc(left, func(g Flip) bool { _, needs := f.Requires[g.Name]; return needs })
}

func (w Walk) notes() []string {
	if w.Predicted {
		return []string{"Scores along the path are predicted by a model of the trials, not measured; ± is the spread over its trees. Run the steps to be sure."}
	}
	return []string{"Each step is the best of those that were left, by the same scores that it is reported with: early steps are flattered."}
}

func values(m map[int]float64) []float64 {
	var out []float64
	for k := range len(m) {
		if v, ok := m[k]; ok {
			out = append(out, v)
		}
	}
	if len(out) < len(m) {
		out = out[:0]
		for _, v := range m {
			out = append(out, v)
		}
		slices.Sort(out)
	}
	return out
}

func names(fs []Flip) string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Name)
	}
	return strings.Join(out, " or ")
}
