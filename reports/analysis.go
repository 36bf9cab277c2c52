package reports

import (
	"slices"
	"sync"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/studies/inference/importance"
	"github.com/mapsweep/mapsweep/trials"
)

// analyses keeps what was computed once: tables, charts and the page ask for the same. Copies of a snapshot share it.
type analyses struct {
	mu   sync.Mutex
	done map[string]*analysis
}

type analysis struct {
	once  sync.Once
	value any
	err   error
}

// once computes what has that key, the first time that it is asked for.
func once[T any](a *analyses, key string, compute func() (T, error)) (T, error) {
	if a == nil {
		return compute()
	}
	a.mu.Lock()
	if a.done == nil {
		a.done = map[string]*analysis{}
	}
	e := a.done[key]
	if e == nil {
		e = &analysis{}
		a.done[key] = e
	}
	a.mu.Unlock()
	e.once.Do(func() { e.value, e.err = compute() })
	v, _ := e.value.(T)
	return v, e.err
}

// Factorial are the main effects and interactions of a block of a factorial design, whole or a fraction. Of every other
// design, and where trials are missing, the error is an inference.Nothing: a sentence for people.
func (s *Snapshot) Factorial(b *Block) (inference.Factorial, error) {
	return once(s.analyses, "factorial "+b.Data, func() (inference.Factorial, error) {
		if why := s.noFactorial(); why != "" {
			return inference.Factorial{}, inference.Nothing(why)
		}
		settings, runs := s.crossed(b)
		f, err := inference.AnalyzeFactorial(settings, runs, s.options(b))
		if s.turnable() && slices.ContainsFunc(f.Terms, func(t inference.Term) bool { return len(t.Factors) == 1 && !t.Clear }) {
			f.Notes = append(f.Notes, "With fold_over the design runs every point once more with all factors turned, which frees main effects from interactions of two.")
		}
		return f, err
	})
}

// turnable says that the design is a fraction that has not been folded over.
func (s *Snapshot) turnable() bool {
	switch s.Spec.Design {
	case studies.DesignFractional, studies.DesignPlackettBurman:
		return s.Spec.Layout == nil || !s.Spec.Layout.FoldOver
	}
	return false
}

func (s *Snapshot) minimizes() bool { return s.Metric.Direction == trials.Minimize }

// noFactorial says why a design has no main effects of its own; "" if it has.
func (s *Snapshot) noFactorial() string {
	switch s.Spec.Design {
	case studies.DesignFactorial, studies.DesignFractional, studies.DesignPlackettBurman, studies.DesignGrid:
		return ""
	case studies.DesignVariants:
		return "design variants compares configurations as they are named: it cannot say which of their changes did it; design factorial or fractional-factorial over these changes can"
	case studies.DesignOneFactor, studies.DesignLeaveOneOut:
		return "design " + s.Spec.Design + " changes factors one at a time: it cannot show how they act together, and its effects stand in its table; design factorial or fractional-factorial can"
	case studies.DesignLatinHypercube, studies.DesignSobol:
		return "design " + s.Spec.Design + " spreads points over ranges: it has no levels to compare, and importance says what mattered"
	}
	return "a search has no levels that are crossed with one another: importance says what mattered"
}

// crossed brings a block's arms to the form of a factorial.
func (s *Snapshot) crossed(b *Block) ([]inference.Setting, []inference.Run) {
	base := s.origin()
	var settings []inference.Setting
	for _, f := range s.Spec.Factors {
		set := inference.Setting{Name: f.Name}
		for i, v := range f.Levels {
			set.Levels = append(set.Levels, ShortValue(v))
			if trials.SameValue(v, base[f.Name]) {
				set.Baseline = i
			}
		}
		for g, other := range s.Spec.Factors {
			if _, needs := f.Requires[other.Name]; needs {
				set.Parents = append(set.Parents, g)
			}
		}
		settings = append(settings, set)
	}
	var runs []inference.Run
	for _, a := range b.Arms {
		if r, ok := s.run(a); ok {
			runs = append(runs, r)
		}
	}
	return settings, runs
}

// run is one arm; not ok if a factor has a value that is none of its levels.
func (s *Snapshot) run(a Arm) (inference.Run, bool) {
	r := inference.Run{Scores: map[int]float64{}}
	for _, f := range s.Spec.Factors {
		at := inference.Absent
		if s.matters(f.Name, a.Params) {
			for i, v := range f.Levels {
				if trials.SameValue(v, a.Params[f.Name]) {
					at = i
				}
			}
			if at == inference.Absent {
				return r, false
			}
		}
		r.Levels = append(r.Levels, at)
	}
	for _, c := range a.Scores {
		r.Scores[c.Replicate] = c.Value
	}
	return r, true
}

// origin is the baseline with the first level of every factor that it does not name.
func (s *Snapshot) origin() trials.Params {
	base := s.Spec.Baseline.Clone()
	for _, f := range s.Spec.Factors {
		if _, named := base[f.Name]; !named && len(f.Levels) > 0 {
			base[f.Name] = f.Levels[0]
		}
	}
	return base
}

// matters says that a factor has an effect in a configuration: its requirements are met, and those of the factors
// that it requires.
func (s *Snapshot) matters(name string, p trials.Params) bool {
	return s.active(name, p, len(s.Spec.Factors))
}

func (s *Snapshot) active(name string, p trials.Params, depth int) bool { // depth ends circles
	f, varied := s.Spec.Factor(name)
	if !varied {
		return true
	}
	if !p.Meets(f.Requires) {
		return false
	}
	for other := range f.Requires {
		if depth > 0 && !s.active(other, p, depth-1) {
			return false
		}
	}
	return true
}

// Importance is how much each parameter, and each two, matter over the space: functional ANOVA over a forest. The error
// is an inference.Nothing where the trials cannot say.
func (s *Snapshot) Importance() (importance.Result, error) {
	return once(s.analyses, "importance", func() (importance.Result, error) {
		m, err := s.model()
		if err != nil {
			return importance.Result{}, err
		}
		r := m.FANOVA(true)
		r.Marginals = m.Marginals()
		r.Bias = s.bias()
		r.Notes = append(s.left(), r.Notes...)
		return r, nil
	})
}

// PED is PED-ANOVA: how much a parameter's values in the best trials differ from those in all.
func (s *Snapshot) PED() (importance.Result, error) {
	return once(s.analyses, "ped", func() (importance.Result, error) {
		p, err := s.problem()
		if err != nil {
			return importance.Result{}, err
		}
		r, err := importance.PED(p)
		if err != nil {
			return r, err
		}
		r.Bias = s.bias()
		r.Notes = append(s.left(), r.Notes...)
		return r, nil
	})
}

// Uneven says that the points are no even sample of the space, so that PED-ANOVA belongs beside fANOVA.
func (s *Snapshot) Uneven() bool { return s.bias() != "" }
