package reports

import (
	"fmt"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/studies/inference/importance"
	"github.com/mapsweep/mapsweep/trials"
)

// model is the forest over the study's trials.
func (s *Snapshot) model() (*importance.Model, error) {
	return once(s.analyses, "model", func() (*importance.Model, error) {
		p, err := s.problem()
		if err != nil {
			return nil, err
		}
		return importance.Fit(p, importance.Options{})
	})
}

// problem gathers the complete trials as points of the search space. Trials on several data sets are brought to one
// mean, so that the data set does not count as a parameter's effect.
func (s *Snapshot) problem() (importance.Problem, error) {
	switch s.Spec.Design {
	case studies.DesignOneFactor, studies.DesignLeaveOneOut:
		return importance.Problem{}, inference.Nothing("design " + s.Spec.Design + " changes factors one at a time from one configuration: how much each matters over the whole space takes a search, or design factorial, latin-hypercube or sobol")
	case studies.DesignFractional, studies.DesignPlackettBurman:
		return importance.Problem{}, inference.Nothing("design " + s.Spec.Design + " has a few points chosen for main effects, and these say what mattered")
	}
	p := importance.Problem{Space: space(s), Baseline: s.Spec.Baseline, Minimize: s.minimizes()}
	means, all := s.dataMeans()
	for _, t := range s.Trials {
		if y, ok := objective(t); ok && scored(t) {
			p.Points = append(p.Points, importance.Point{Params: s.mattering(p.Space, t), Score: y - means[t.Text(trials.AttrData)] + all})
		}
	}
	return p, nil
}

// scored says that a trial's value counts.
func scored(t trials.Trial) bool { return t.State == trials.Complete && !t.Superseded() }

// mattering are the parameters that matter in a trial.
func (s *Snapshot) mattering(sp trials.Space, t trials.Trial) trials.Params {
	out := make(trials.Params, len(sp))
	for _, p := range sp {
		v, ok := t.Params[p.Name]
		if _, sampled := t.Space.Lookup(p.Name); !sampled && len(t.Space) > 0 {
			ok = false
		}
		if ok && s.matters(p.Name, t.Params) {
			out[p.Name] = v
		}
	}
	return out
}

// dataMeans are the mean scores by data set and over all trials; all are 0 with one data set.
func (s *Snapshot) dataMeans() (by map[string]float64, all float64) {
	sums, n := map[string]float64{}, map[string]float64{}
	total := 0.0
	for _, t := range s.Trials {
		if y, ok := objective(t); ok && scored(t) {
			d := t.Text(trials.AttrData)
			sums[d] += y
			n[d]++
			total++
			all += y
		}
	}
	if len(sums) < 2 {
		return map[string]float64{}, 0
	}
	for d := range sums {
		sums[d] /= n[d]
	}
	return sums, all / total
}

// left says which trials an analysis leaves out, and what it does with several data sets.
func (s *Snapshot) left() []string {
	var out []string
	pruned, failed := 0, 0
	data := map[string]bool{}
	for _, t := range s.Trials {
		_, ok := objective(t)
		switch {
		case !t.Counts():
		case t.State == trials.Pruned:
			pruned++
		case t.State == trials.Fail || t.State == trials.Complete && !ok:
			failed++
		case t.State == trials.Complete:
			data[t.Text(trials.AttrData)] = true
		}
	}
	if pruned > 0 {
		out = append(out, fmt.Sprintf("%s left out: their scores are of earlier epochs, and they were pruned because these were low.", was(pruned, "pruned trial")))
	}
	if failed > 0 {
		out = append(out, fmt.Sprintf("%s without a score left out.", was(failed, "trial")))
	}
	if len(data) > 1 {
		out = append(out, fmt.Sprintf("Trials on %d data sets are taken together, each after taking off the mean of its data set.", len(data)))
	}
	return out
}

func was(n int, what string) string { return Count(n, what) + plural(n, " is", " are") }

// bias says in a sentence why the points are no even sample of the space; "" if they are.
func (s *Snapshot) bias() string {
	switch {
	case s.Imported() && !s.Foreign():
		return "The trials are past runs that nobody spread over the space: shares hold for the region that they cover, not for all of it."
	case s.Foreign():
		return "Another program chose the points, in a way that is not recorded: shares hold for the region that it visited, which may be where scores were good."
	case s.Spec.Design != studies.DesignSearch || s.Spec.Search == nil:
		return ""
	}
	pruned := ""
	if s.Count.Pruned > 0 {
		pruned = " Pruned trials, which were the weak ones, are missing."
	}
	switch sampler := s.Spec.Search.Sampler; sampler {
	case "random", "sobol":
		if pruned != "" {
			return "The sampler spread its points evenly, but what is left is not even." + pruned + " Shares lean towards the good regions."
		}
		return ""
	default:
		return "The sampler (" + sampler + ") preferred good regions: fANOVA's shares lean towards what varies there. PED-ANOVA corrects for that; trials of a random or Sobol search do not need it." + pruned
	}
}
