package reports

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Methods says how a study was done, in a paragraph fit for a paper. It says only what the database knows.
func Methods(s *Snapshot) string {
	if s.Foreign() {
		return "This study was recorded by another program: what was trained, on what, and how it was scored is not in the database. " +
			"Scores of single trials carry the chance of their seed; no test was made."
	}
	parts := []string{s.trainingWords(), s.gpuWords(), s.scoreWords()}
	if s.Search != nil {
		parts = append(parts, s.searchWords())
	} else {
		parts = append(parts, s.planWords(), s.effectWords())
	}
	parts = append(parts, s.lossWords(), s.softwareWords())
	return strings.Join(slices.DeleteFunc(parts, func(t string) bool { return t == "" }), " ")
}

// trainingWords say what was trained, on what, for how long.
func (s *Snapshot) trainingWords() string {
	t := s.Spec.Trainer
	w := "Each configuration"
	if t.Model != "" {
		w += " of " + t.Model
	}
	w += " was trained"
	if b := cmp.Or(t.Backend, s.Study.Provenance.Backend); b != "" {
		w += " by the " + b + " trainer"
	}
	if t.Epochs > 0 {
		w += " for " + Count(t.Epochs, "epoch")
	}
	var data []string
	for _, x := range s.Blocks {
		if x.Data != "" {
			data = append(data, s.DataWords(x.Data))
		}
	}
	if len(data) > 0 {
		w += " on " + strings.Join(data, " and on ")
	}
	if t.ImageSize > 0 {
		w += fmt.Sprintf(" at %d px", t.ImageSize)
	}
	if t.Batch > 0 {
		w += fmt.Sprintf(" with batches of %d", t.Batch)
	}
	if t.Weights != "" {
		w += fmt.Sprintf(", each from the weights in %s (SHA-256 %.12s)", filepath.Base(t.Weights), s.Study.Provenance.Extra[trials.ExtraWeights])
	}
	return w + "."
}

// DataWords names a data set with its pictures by split, its classes and the beginning of its hash.
func (s *Snapshot) DataWords(name string) string {
	for _, d := range s.Study.Provenance.Data {
		if d.Name != name || d.Train == 0 {
			continue
		}
		w := fmt.Sprintf("%s (%d train, %d val", name, d.Train, d.Val)
		if d.Test > 0 {
			w += fmt.Sprintf(", %d test", d.Test)
		}
		w += fmt.Sprintf(" images, %d %s", len(d.Classes), plural(len(d.Classes), "class", "classes"))
		if d.Hash != "" {
			w += ", SHA-256 " + Short(d.Hash)
			if len(d.Hash) > 12 {
				w += "…"
			}
		}
		return w + ")"
	}
	return name
}

func (s *Snapshot) scoreWords() string {
	o := s.Spec.Objective
	w := fmt.Sprintf("The score is %s on the %s split ", s.Metric.Key, cmp.Or(o.Split, "val"))
	if o.Epoch != "best" {
		return w + "after the last epoch."
	}
	w += "at the best epoch of each trial"
	if o.BestBy != "" && o.BestBy != o.Metric {
		w += ", chosen by " + o.BestBy
	}
	return w + "."
}

func (s *Snapshot) searchWords() string {
	w := ""
	if s.IsSearch() && s.Spec.Search != nil {
		w = fmt.Sprintf("Configurations were proposed by the sampler %s over %s", s.Search.Sampler, Count(len(s.Search.Space), "parameter"))
		if p := s.Search.Pruner; p != "" && p != "none" {
			w += ", and weak trials were stopped early by the pruner " + p
		}
		w += fmt.Sprintf("; the seed of the search is %d. ", s.Spec.Seed)
	} else if s.Spec.Screens() {
		w = s.planWords() + " "
	} else if !s.IsSearch() {
		w = fmt.Sprintf("The configurations are all combinations of the levels of %s, %s each. ",
			Count(len(s.Spec.Factors), "factor"), Count(max(1, s.Spec.Replicates), "replicate"))
	}
	return w + "Scores of single trials carry the chance of their seed; no test was made."
}

// planWords say which configurations there were, and how often each was trained.
func (s *Snapshot) planWords() string {
	sp := s.Spec
	b := &s.Blocks[0]
	if s.Imported() {
		return "The trials are past runs, which nobody planned together; runs of one seed are compared with each other."
	}
	var w strings.Builder
	fmt.Fprintf(&w, "The variants follow a design over %s: %s", Count(len(sp.Factors), "factor"), designWords(sp))
	if sp.Screens() && len(b.Arms) > 0 {
		fmt.Fprintf(&w, ", %s", Count(len(b.Arms), "point"))
	}
	w.WriteString(". ")
	n := max(1, sp.Replicates)
	switch {
	case sp.Settle != nil && sp.Settle.Rule == studies.RuleAnytime:
		fmt.Fprintf(&w, "Replicates were added until a variant was settled, at most %d, with a verdict possible after each of them", n)
	case sp.Settle != nil:
		fmt.Fprintf(&w, "Replicates were added until a variant was settled, with verdicts possible at %s of them, as planned before the first trial", numbersWords(sp.Settle.Looks))
	case n == 1:
		w.WriteString("One replicate was planned per variant")
	default:
		fmt.Fprintf(&w, "%d replicates were planned per variant", n)
	}
	fmt.Fprintf(&w, "; a replicate has the same seed in every variant (seed of the study: %d).", sp.Seed)
	if t := sp.Tune; t != nil {
		fmt.Fprintf(&w, " Every variant was tuned by itself before it was compared: %s over %s, sampler %s, at most %s and %s device-hours each, scored on the %s split.",
			Count(t.Repeats, "independent tuning"), Count(len(t.Knobs), "knob"), t.Sampler, Count(t.Trials, "trial"), trials.FormatValue(t.DeviceHours), t.Split)
	}
	return w.String()
}

// effectWords say how effects were tested; "" where the design has none.
func (s *Snapshot) effectWords() string {
	b := &s.Blocks[0]
	ref, ok := b.Reference()
	if !ok || len(b.Effects) == 0 {
		return ""
	}
	if testWords(b) == "none" {
		return "No effect could be tested."
	}
	name := "the baseline"
	if ref.Name != design.Baseline {
		name = "the " + ref.Name + " configuration"
	}
	level := s.Spec.Rules.Level()
	var w strings.Builder
	fmt.Fprintf(&w, "Effects are mean differences to %s over seeds, ", name)
	if s.Spec.Settle != nil {
		w.WriteString(s.sequenceWords(b))
	} else {
		fmt.Fprintf(&w, "with two-sided %s %% t intervals%s, each variant alone. ", percent(1-level), pairedWords(b))
		w.WriteString(s.familyWords(b, level))
	}
	if b.Margin > 0 {
		interval := "corrected interval"
		if s.Correction(b) == "Holm" {
			interval = "Bonferroni interval"
		}
		fmt.Fprintf(&w, "A variant is called equivalent where its %s lies within ±%s. ", interval, s.MarginText(b))
	}
	if lo, hi, n := correlations(b.Effects); n > 0 {
		fmt.Fprintf(&w, "Variant and reference correlate over seeds by %s. ", between(lo, hi))
	}
	w.WriteString("Intervals cover the spread over seeds, not the choice of pictures.")
	return w.String()
}

func percent(x float64) string { return trials.FormatValue(roundSignificant(100*x, 4)) }

func pairedWords(b *Block) string {
	methods := map[inference.Method]bool{}
	for _, e := range b.Effects {
		methods[e.Method] = methods[e.Method] || finite(e.P)
	}
	switch {
	case methods[inference.Pooled]:
		return " with one standard deviation from all arms, not paired"
	case methods[inference.Paired] && !methods[inference.Welch]:
		return " of the paired differences"
	case methods[inference.Welch] && !methods[inference.Paired]:
		return " by Welch's method, not paired"
	}
	return " of the paired differences, or by Welch's method for variants whose seeds do not pair them with it"
}

// familyWords say how p values of a fixed number of replicates are corrected.
func (s *Snapshot) familyWords(b *Block, level float64) string {
	w, each := "", ""
	if len(s.Blocks) > 1 {
		each = " in each data set"
	}
	if m := Comparisons(b); m > 1 {
		w = fmt.Sprintf("p values were corrected by %s method over %d comparisons%s at the level %s. ", possessive(s.Correction(b)), m, each, trials.FormatValue(level))
	}
	return w
}

// sequenceWords say how a sequence of replicates was judged.
func (s *Snapshot) sequenceWords(b *Block) string {
	level, m := trials.FormatValue(s.Spec.Rules.Level()), max(1, Comparisons(b))
	if s.Spec.Settle.Rule == studies.RuleAnytime {
		return fmt.Sprintf("paired by seed, with the intervals of the t statistic's e-process (normal prior of variance %d on the standardised effect), intersected over replicates: "+
			"they hold whenever a variant was stopped. The level %s is corrected for %s (%s). ", inference.DefaultG, level, Count(m, "variant"), s.Correction(b))
	}
	return fmt.Sprintf("with t intervals"+pairedWords(b)+" at the level %s divided by %s and %s, intersected over looks: they hold together, whenever a variant was stopped. ",
		level, Count(max(1, len(s.Spec.Settle.Looks)), "look"), Count(m, "variant"))
}

func correlations(es []Effect) (lo, hi float64, n int) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, e := range es {
		if !math.IsNaN(e.Correlation) {
			lo, hi, n = min(lo, e.Correlation), max(hi, e.Correlation), n+1
		}
	}
	return lo, hi, n
}

func between(lo, hi float64) string {
	a, b := Number(lo, 2), Number(hi, 2)
	if a == b {
		return a
	}
	return a + " to " + b
}

// lossWords say how many trials have no score.
func (s *Snapshot) lossWords() string {
	c := s.Count
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(c.Failed, "failed")
	add(c.Infeasible, plural(c.Infeasible, "was infeasible", "were infeasible"))
	add(c.Skipped, plural(c.Skipped, "was skipped", "were skipped"))
	add(c.Running+c.Waiting+c.Missing, plural(c.Running+c.Waiting+c.Missing, "has not finished", "have not finished"))
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("Of %s, %s.", Count(c.Planned, "planned trial"), strings.Join(parts, ", "))
}

func (s *Snapshot) softwareWords() string {
	p := s.Study.Provenance
	var parts []string
	if p.Version != "" {
		parts = append(parts, "mapsweep "+p.Version)
	}
	if p.Commit != "" {
		parts = append(parts, "commit "+Short(p.Commit))
	}
	if p.Go != "" {
		parts = append(parts, p.Go)
	}
	for _, k := range []string{"Python", "torch"} {
		if v := p.Extra[k]; v != "" {
			parts = append(parts, k+" "+v)
		}
	}
	if h := hardware(p); h != "" {
		parts = append(parts, h)
	}
	if len(parts) == 0 {
		return "Software and machine were not recorded."
	}
	w := "Software and machine: " + strings.Join(parts, ", ") + "."
	for _, c := range s.Study.Continuations() {
		if d := p.Differences(c.Provenance); len(d) > 0 {
			w += " The study went on with " + strings.Join(d, ", ") + "."
		}
	}
	return w
}
