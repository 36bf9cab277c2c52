package reports

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/studies/inference/importance"
	"github.com/mapsweep/mapsweep/trials"
)

// Names of configurations that a path can go between, beside arms and numbers of trials.
const (
	FromBaseline = "baseline"
	ToBest       = "best"
)

// measured says that a block has all configurations between any two of its arms.
func (s *Snapshot) measured() bool {
	return s.Spec.Design == studies.DesignFactorial || s.Spec.Design == studies.DesignGrid
}

// noBetween says why there are no configurations between two of this design.
func (s *Snapshot) noBetween(what string) error {
	return inference.Nothing(fmt.Sprintf("%s need the scores of every configuration between the two: design factorial has them, design %s does not", what, s.Spec.Design))
}

// Shapley shares the gain from the baseline to the block's best arm out among the factors in which they differ. It
// needs a factorial of the levels of both; the error is an inference.Nothing where it is not there.
func (s *Snapshot) Shapley(b *Block) (importance.Attribution, error) {
	return s.ShapleyBetween(b, FromBaseline, ToBest)
}

// ShapleyBetween is Shapley between two arms by name.
func (s *Snapshot) ShapleyBetween(b *Block, from, to string) (importance.Attribution, error) {
	return once(s.analyses, "shapley "+strings.Join([]string{b.Data, from, to}, "\x00"), func() (importance.Attribution, error) {
		if !s.measured() {
			return importance.Attribution{}, s.noBetween("Shapley values")
		}
		w, err := s.walk(b, from, to)
		if err != nil {
			return importance.Attribution{}, err
		}
		g := importance.Game{Option: s.options(b), Seeds: seeds(b)}
		for _, f := range w.Flips {
			g.Knobs = append(g.Knobs, importance.Attributed{Name: f.Name, Label: Change{Name: f.Name, From: f.From, To: f.To}.String()})
		}
		scores := make([]map[int]float64, 1<<min(len(w.Flips), importance.MostKnobs))
		for mask := range scores {
			p := w.Start.Clone()
			for j, f := range w.Flips {
				if mask>>j&1 == 1 {
					p[f.Name] = f.To
				}
			}
			scores[mask] = w.Scores(p)
		}
		g.Score = func(seed int, mask uint) float64 {
			if v, ok := scores[mask][seed]; ok {
				return v
			}
			return math.NaN()
		}
		a, err := importance.Shapley(g)
		a.From, a.To = w.From, w.To
		if to == ToBest {
			a.Notes = append(a.Notes, s.chosen(len(b.Arms)))
		}
		return a, err
	})
}

func (s *Snapshot) options(b *Block) inference.Options {
	return inference.Options{Alpha: s.Spec.Rules.Level(), Margin: b.Margin, Minimize: s.minimizes()}
}

// chosen warns that the end was picked by the scores that it is explained with.
func (s *Snapshot) chosen(n int) string {
	return fmt.Sprintf("The end is the best of %s by these same scores: its gain is flattered.", Count(n, "configuration"))
}

// seeds are the replicates of a block.
func seeds(b *Block) []int {
	seen := map[int]bool{}
	var out []int
	for _, a := range b.Arms {
		for _, c := range a.Scores {
			if !seen[c.Replicate] {
				seen[c.Replicate] = true
				out = append(out, c.Replicate)
			}
		}
	}
	slices.Sort(out)
	return out
}

// Path walks from the baseline to the best configuration, one knob at a time. In a factorial it is along measured
// scores; in a search, a Latin hypercube or a Sobol set along those that a model predicts.
func (s *Snapshot) Path(b *Block) (importance.Path, error) {
	return s.PathBetween(b, FromBaseline, ToBest)
}

// PathBetween is Path between two configurations: the baseline, the best, an arm by name, or a trial by number.
func (s *Snapshot) PathBetween(b *Block, from, to string) (importance.Path, error) {
	return once(s.analyses, "path "+strings.Join([]string{b.Data, from, to}, "\x00"), func() (importance.Path, error) {
		switch s.Spec.Design {
		case studies.DesignOneFactor, studies.DesignLeaveOneOut, studies.DesignFractional, studies.DesignPlackettBurman:
			return importance.Path{}, s.noBetween("steps of a path")
		}
		w, err := s.walk(b, from, to)
		if err != nil {
			return importance.Path{}, err
		}
		if !s.measured() {
			m, err := s.model()
			if err != nil {
				return importance.Path{}, err
			}
			w.Predicted, w.Scores = true, m.Scores
		}
		p, err := w.Find()
		if err == nil && w.Predicted {
			p.Notes = append(p.Notes, outside(space(s), w)...)
		}
		if err == nil && to == ToBest {
			p.Notes = append(p.Notes, s.chosen(s.configurations(b)))
		}
		if bias := s.bias(); err == nil && w.Predicted && bias != "" {
			p.Notes = append(p.Notes, "Where the sampler hardly went the model knows little.")
		}
		return p, err
	})
}

// outside notes ends of a predicted path that the search did not cover.
func outside(sp trials.Space, w importance.Walk) []string {
	var out []string
	for _, f := range w.Flips {
		p, _ := sp.Lookup(f.Name)
		for _, v := range []any{f.From, f.To} {
			if p.Kind != trials.Categorical && !p.Contains(v) {
				out = append(out, fmt.Sprintf("%s = %s lies outside the range that was searched: the model takes the nearest value in it.", f.Name, trials.FormatValue(v)))
			}
		}
	}
	return out
}

// walk sets a path up between two configurations; scores are those of the block's arms.
func (s *Snapshot) walk(b *Block, from, to string) (importance.Walk, error) {
	start, label, err := s.configuration(b, from)
	if err != nil {
		return importance.Walk{}, err
	}
	end, last, err := s.configuration(b, to)
	if err != nil {
		return importance.Walk{}, err
	}
	w := importance.Walk{From: label, To: last, Start: start, Option: s.options(b)}
	for _, p := range space(s) {
		a, ok := start[p.Name]
		z, ok2 := end[p.Name]
		if !ok && ok2 && from == FromBaseline {
			return w, inference.Nothing(fmt.Sprintf("the baseline does not say what %s is: name the two configurations by their trials", p.Name))
		}
		if !ok || !ok2 || trials.SameValue(a, z) {
			continue
		}
		w.Flips = append(w.Flips, importance.Flip{Name: p.Name, From: a, To: z, Requires: s.required(p)})
	}
	if len(w.Flips) == 0 {
		return w, inference.Nothing(fmt.Sprintf("%s and %s are the same configuration: there is no gain to explain", label, last))
	}
	arms := map[string]*Arm{}
	for i := range b.Arms {
		arms[s.key(b.Arms[i].Params)] = &b.Arms[i]
	}
	w.Scores = func(p trials.Params) map[int]float64 {
		out := map[int]float64{}
		if a := arms[s.key(p)]; a != nil {
			for _, c := range a.Scores {
				out[c.Replicate] = c.Value
			}
		}
		return out
	}
	return w, nil
}

// required are a parameter's requirements, with those of what it requires.
func (s *Snapshot) required(p trials.Param) trials.Params {
	all := trials.Params{}
	names := p.Requires.Names()
	for depth := 0; len(names) > 0 && depth <= len(s.Spec.Factors); depth++ {
		var next []string
		if depth == 0 {
			all = all.With(p.Requires)
		}
		for _, n := range names {
			if f, varied := s.Spec.Factor(n); varied {
				all = f.Requires.With(all)
				next = append(next, f.Requires.Names()...)
			}
		}
		names = next
	}
	return all
}

// key names what a configuration trains: by the factors that matter in it.
func (s *Snapshot) key(p trials.Params) string {
	out := trials.Params{}
	for _, f := range s.Spec.Factors {
		if s.matters(f.Name, p) {
			out[f.Name] = p[f.Name]
		}
	}
	return out.Key()
}

// configuration finds one by the baseline's name, "best", an arm's name or a trial's number.
func (s *Snapshot) configuration(b *Block, name string) (p trials.Params, label string, err error) {
	if name == ToBest {
		return s.bestOf(b)
	}
	for _, a := range b.Arms {
		if a.Name == name {
			return a.Params, a.Label, nil
		}
	}
	if name == FromBaseline {
		return s.origin(), name, nil
	}
	if n, e := strconv.Atoi(name); e == nil {
		for _, t := range s.Trials {
			if t.Number == n {
				return t.Params, "trial " + name, nil
			}
		}
	}
	return nil, "", fmt.Errorf("%q names no configuration of study %s: give baseline, best, a variant or the number of a trial", name, s.Study.Name)
}

// bestOf is the configuration with the best mean of its complete trials.
func (s *Snapshot) bestOf(b *Block) (p trials.Params, label string, err error) {
	if len(b.Arms) == 0 {
		cs := s.tried()
		if len(cs) == 0 {
			return nil, "", inference.Nothing("no trial is complete")
		}
		return s.origin().With(cs[0].Params), "the best, trial " + strconv.Itoa(cs[0].Trials[0]), nil
	}
	best := -1
	for i, a := range b.Arms {
		if len(a.Scores) > 0 && (best < 0 || s.Metric.Gain(a.Mean) > s.Metric.Gain(b.Arms[best].Mean)) {
			best = i
		}
	}
	if best < 0 {
		return nil, "", inference.Nothing("no trial is complete")
	}
	return b.Arms[best].Params, b.Arms[best].Label, nil
}

// tried are the configurations with a complete trial, best first.
func (s *Snapshot) tried() []Candidate {
	if s.Search != nil {
		return s.Search.Candidates
	}
	return candidates(s.Metric, space(s), s.Trials)
}

func (s *Snapshot) configurations(b *Block) int {
	if len(b.Arms) > 0 {
		return len(b.Arms)
	}
	return len(s.tried())
}
