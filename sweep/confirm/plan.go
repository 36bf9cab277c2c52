package confirm

import (
	"fmt"
	"slices"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// Candidate is a configuration of a search that is to be confirmed.
type Candidate struct {
	Params trials.Params // complete
	Trials []int
	Value  float64 // mean score in the search
}

// Asked is how much is to be confirmed.
type Asked struct {
	Top        int // at least 1
	Replicates int // at least 2
}

// Plan makes the study that confirms a search: design variants, with the search's baseline as reference and a variant for
// each of the best candidates. ranked are those of the search, best first, and of how many it was the best. ts are the
// search's trials, whose seeds are not used again. old, if not nil, is the confirmation as it is recorded: its picks and seed
// stay, however the search went on, and more may be added to them. The error wraps sweep.ErrInvalid.
func Plan(search studies.Spec, ts []trials.Trial, ranked []Candidate, of int, asked Asked, old *trials.Study) (studies.Spec, trials.Confirms, error) {
	spec, c, err := begin(search, ts, of, old)
	if err != nil {
		return spec, c, err
	}
	switch {
	case asked.Top < len(c.Picks):
		return spec, c, fmt.Errorf("%w: %s confirms %d configurations already, and none can be taken back", sweep.ErrInvalid, spec.Name, len(c.Picks))
	case asked.Replicates < spec.Replicates:
		return spec, c, fmt.Errorf("%w: %s has %d replicates already, and none can be taken back", sweep.ErrInvalid, spec.Name, spec.Replicates)
	}
	spec.Replicates = asked.Replicates
	for _, k := range ranked {
		if len(c.Picks) == asked.Top {
			break
		}
		changed := changes(search.Baseline, k.Params)
		if len(changed) == 0 || slices.ContainsFunc(spec.Variants, func(v studies.Variant) bool { return v.Params.Key() == changed.Key() }) {
			continue // the baseline is trained anyway
		}
		if name := undecided(search, changed); name != "" {
			return spec, c, fmt.Errorf("%w: the baseline of search %s has no value of %s, and a confirmation compares with the baseline: run the search anew with baseline.%s, under another name", sweep.ErrInvalid, search.Name, name, name)
		}
		arm := fmt.Sprintf("trial-%d", slices.Min(k.Trials))
		spec.Variants = append(spec.Variants, studies.Variant{Name: arm, Params: changed})
		c.Picks = append(c.Picks, trials.Pick{Arm: arm, Trials: k.Trials, Value: k.Value})
	}
	if len(c.Picks) == 0 {
		return spec, c, fmt.Errorf("%w: search %s has no complete and feasible trial beside those of its baseline: there is nothing to confirm", sweep.ErrInvalid, search.Name)
	}
	spec.Factors = studies.VariantFactors(spec.Baseline, spec.Variants)
	return spec, c, nil
}

// undecided is the first of the changed parameters that the baseline would use and has no value of, or "".
func undecided(search studies.Spec, changed trials.Params) string {
	for _, name := range changed.Names() {
		if _, ok := search.Baseline[name]; ok {
			continue
		}
		if f, ok := search.Factor(name); ok && search.Baseline.Meets(f.Requires) {
			return name
		}
	}
	return ""
}

// begin is the confirmation before picks are added: as it is recorded, or a new one.
func begin(search studies.Spec, ts []trials.Trial, of int, old *trials.Study) (studies.Spec, trials.Confirms, error) {
	if old != nil {
		c, ok := old.Confirms()
		if !ok || c.Study != search.Name {
			return studies.Spec{}, c, fmt.Errorf("%w: there is a study %s that does not confirm %s; rename the search with --as", sweep.ErrInvalid, old.Name, search.Name)
		}
		spec, err := sweep.StoredSpec(*old)
		return spec, c, err
	}
	used := map[int64]bool{}
	for _, t := range ts {
		used[t.Seed()] = true
	}
	c := trials.Confirms{Study: search.Name, Of: of, Tune: search.Objective.Split, Report: search.Objective.Split}
	if search.DataSplit != nil {
		c.Report = search.DataSplit.Report
	}
	s := search
	s.Name = studies.ConfirmName(search.Name)
	s.Description = fmt.Sprintf("The best of search %s again, from fresh seeds", search.Name)
	s.Design, s.Search, s.Layout, s.Settle, s.Tune, s.DataSplit = studies.DesignVariants, nil, nil, nil, nil, nil
	s.Objective.Split, s.Objective.Also = c.Report, nil
	s.Variants, s.Factors = nil, nil
	s.Replicates = 0
	s.Seed = design.Fresh(search.Seed, used)
	s.Budget = studies.Budget{Parallel: search.Budget.Parallel} // the search's own budget is spent
	return s, c, nil
}

// changes are the parameters of a point that differ from the baseline or are not in it.
func changes(baseline, point trials.Params) trials.Params {
	out := trials.Params{}
	for name, v := range point {
		if base, ok := baseline[name]; !ok || !trials.SameValue(base, v) {
			out[name] = v
		}
	}
	return out
}
