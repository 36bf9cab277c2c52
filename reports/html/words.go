package html

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

var designs = map[string]string{
	studies.DesignOneFactor:      "One-factor ablation",
	studies.DesignLeaveOneOut:    "Leave-one-out ablation",
	studies.DesignVariants:       "Named variants",
	studies.DesignFactorial:      "Factorial study",
	studies.DesignFractional:     "Fractional factorial screening",
	studies.DesignPlackettBurman: "Plackett-Burman screening",
	studies.DesignLatinHypercube: "Latin-hypercube screening",
	studies.DesignSobol:          "Sobol screening",
	studies.DesignGrid:           "Grid",
	studies.DesignSearch:         "Search",
}

// subtitle says in one line what was trained on what.
func subtitle(s *reports.Snapshot) string {
	t := s.Spec.Trainer
	w := designs[s.Spec.Design]
	if w == "" {
		w = "Study"
	}
	if t.Model != "" {
		w += " of " + t.Model
	}
	var data []string
	for _, b := range s.Blocks {
		if b.Data != "" {
			data = append(data, dataWords(s, b.Data, false))
		}
	}
	if len(data) > 0 {
		w += " on " + strings.Join(data, " and ")
	}
	parts := []string{w}
	if t.ImageSize > 0 {
		parts = append(parts, fmt.Sprintf("%d px", t.ImageSize))
	}
	if t.Epochs > 0 {
		parts = append(parts, reports.Count(t.Epochs, "epoch"))
	}
	if b := backend(s); b != "" {
		parts = append(parts, b+" trainer")
	}
	return strings.Join(parts, ", ")
}

func backend(s *reports.Snapshot) string {
	if s.Spec.Trainer.Backend != "" {
		return s.Spec.Trainer.Backend
	}
	return s.Study.Provenance.Backend
}

// dataWords names a data set with its size, and for methods with classes and hash.
func dataWords(s *reports.Snapshot, name string, long bool) string {
	for _, d := range s.Study.Provenance.Data {
		if d.Name != name || d.Train == 0 {
			continue
		}
		w := fmt.Sprintf("%s (%d train, %d val images", name, d.Train, d.Val)
		if d.Test > 0 {
			w = fmt.Sprintf("%s (%d train, %d val, %d test images", name, d.Train, d.Val, d.Test)
		}
		if long {
			w += fmt.Sprintf(", %s", classes(len(d.Classes)))
			if d.Hash != "" {
				w += ", SHA-256 " + shorten(d.Hash, 12)
			}
		}
		return w + ")"
	}
	return name
}

func classes(n int) string {
	if n == 1 {
		return "1 class"
	}
	return fmt.Sprintf("%d classes", n)
}

func shorten(t string, n int) string {
	if len(t) > n {
		return t[:n] + "…"
	}
	return t
}

// facts are the four numbers under the answer.
func facts(s *reports.Snapshot) []fact {
	fs := []fact{headline(s), accounting(s), elapsed(s)}
	if s.Search != nil {
		return append(fs, fact{fmt.Sprint(len(s.Search.Candidates)), "configurations with a complete trial, out of " + reports.Count(s.Count.Planned, "planned trial")})
	}
	return append(fs, visible(s))
}

func headline(s *reports.Snapshot) fact {
	b := &s.Blocks[0]
	if s.Search != nil {
		if len(s.Search.Candidates) == 0 {
			return fact{"none", "best " + s.Metric.Key + ": no trial is complete"}
		}
		c := s.Search.Candidates[0]
		return fact{s.Metric.MeanSpread(c.Mean, c.SD), fmt.Sprintf("best %s%s (%s)", s.Metric.Key, unit(s.Metric), reports.Count(c.N, "trial"))}
	}
	ref, ok := b.Reference()
	if !ok || len(ref.Scores) == 0 {
		return fact{"none", "baseline " + s.Metric.Key + ": no baseline trial is complete"}
	}
	w := fmt.Sprintf("%s %s%s (%s)", ref.Label, s.Metric.Key, unit(s.Metric), reports.Count(len(ref.Scores), "seed"))
	if len(s.Blocks) > 1 && b.Data != "" {
		w += " on " + b.Data
	}
	return fact{s.Metric.MeanSpread(ref.Mean, ref.SD), w}
}

func unit(m reports.Metric) string {
	if u := m.Unit(); u != "" {
		return ", " + u
	}
	return ""
}

// accounting says where the planned trials are; outcomes that did not occur are left out.
func accounting(s *reports.Snapshot) fact {
	c := s.Count
	var parts []string
	for _, x := range []struct {
		n    int
		word string
	}{{c.Complete, "complete"}, {c.Pruned, "pruned"}, {c.Failed, "failed"}, {c.Infeasible, "infeasible"}, {c.Skipped, "skipped"},
		{c.Running, "running"}, {c.Waiting, "waiting"}, {c.Missing, "never enqueued"}} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", x.n, x.word))
		}
	}
	w := "trials: none planned"
	if len(parts) > 0 {
		w = "trials: " + strings.Join(parts, ", ")
	}
	if c.Repeated > 0 {
		w += fmt.Sprintf("; %d failed and repeated", c.Repeated)
	}
	return fact{fmt.Sprintf("%d / %d", c.Finished(), c.Planned), w}
}

func elapsed(s *reports.Snapshot) fact {
	if s.Time.Wall == 0 {
		return fact{"none", "time: nothing has run yet"}
	}
	w := "while trials ran; " + reports.Span(s.Time.Device) + " summed over trials"
	if !s.Count.Done() {
		w = "so far, " + w
	}
	if f := s.ForecastWords(); f != "" {
		w += "; " + f
	}
	return fact{reports.Span(s.Time.Wall), w}
}

func visible(s *reports.Snapshot) fact {
	b := &s.Blocks[0]
	if math.IsNaN(b.Smallest) {
		if slices.ContainsFunc(b.Effects, func(e reports.Effect) bool { return e.N > 1 }) {
			return fact{"unknown", "smallest effect this study could see: needs differences that vary from seed to seed"}
		}
		return fact{"unknown", "smallest effect this study could see: needs two seeds or more"}
	}
	w := "smallest effect this study could see (with a chance of 80 %, after correction)"
	return fact{s.Metric.WithUnit(s.Metric.Rough(b.Smallest)), w}
}

// methods is a paragraph fit for a paper.
func methods(s *reports.Snapshot) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	if s.Foreign() {
		say("This study was recorded by another program: what was trained, on what, and how it was scored is not in the database. " +
			"Scores of single trials carry the chance of their seed; no test was made. ")
		return strings.TrimSpace(b.String())
	}
	t, o := s.Spec.Trainer, s.Spec.Objective
	what := "Each configuration"
	if t.Model != "" {
		what += " of " + t.Model
	}
	say("%s was trained", what)
	if t.Epochs > 0 {
		say(" for %s", reports.Count(t.Epochs, "epoch"))
	}
	var data []string
	for _, x := range s.Blocks {
		if x.Data != "" {
			data = append(data, dataWords(s, x.Data, true))
		}
	}
	if len(data) > 0 {
		say(" on %s", strings.Join(data, " and on "))
	}
	if t.ImageSize > 0 {
		say(" at %d px", t.ImageSize)
	}
	if t.Batch > 0 {
		say(" with batches of %d", t.Batch)
	}
	say(". The score is %s on the %s split %s. ", s.Metric.Key, or(o.Split, "val"), scored(o.Epoch))
	if s.Search != nil {
		b.WriteString(searchMethods(s))
	} else {
		b.WriteString(effectMethods(s))
	}
	say("%s", software(s.Study.Provenance))
	return b.String()
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func scored(epoch string) string {
	if epoch == "best" {
		return "at the best epoch of each trial"
	}
	return "after the last epoch"
}

func searchMethods(s *reports.Snapshot) string {
	w := ""
	if s.IsSearch() && s.Spec.Search != nil {
		w = fmt.Sprintf("Configurations were proposed by the sampler %s over %s", s.Search.Sampler, reports.Count(len(s.Search.Space), "parameter"))
		if p := s.Search.Pruner; p != "" && p != "none" {
			w += fmt.Sprintf(", and weak trials were stopped early by the pruner %s", p)
		}
		w += fmt.Sprintf("; the seed of the search is %d. ", s.Spec.Seed)
	} else if s.Spec.Screens() {
		w = fmt.Sprintf("The configurations are those of the design %s over %s, %s each. ",
			s.Spec.Design, reports.Count(len(s.Spec.Factors), "factor"), reports.Count(max(1, s.Spec.Replicates), "replicate"))
	} else if !s.IsSearch() {
		w = fmt.Sprintf("The configurations are all combinations of the levels of %s, %s each. ",
			reports.Count(len(s.Spec.Factors), "factor"), reports.Count(max(1, s.Spec.Replicates), "replicate"))
	}
	return w + "Scores of single trials carry the chance of their seed; no test was made. "
}

func effectMethods(s *reports.Snapshot) string {
	var b strings.Builder
	blk := &s.Blocks[0]
	ref := "the baseline"
	if r, ok := blk.Reference(); ok && r.Name != "baseline" {
		ref = "the " + r.Name + " configuration"
	}
	fmt.Fprintf(&b, "%s planned per variant; a replicate has the same seed in every variant. ", replicates(s.Spec.Replicates))
	fmt.Fprintf(&b, "Effects are mean differences to %s over seeds, with two-sided 95 %% t intervals of the paired differences, each variant alone. ", ref)
	if m := comparisons(blk.Effects); m > 1 {
		fmt.Fprintf(&b, "p values of the paired t test were corrected by Holm's method over %d comparisons per data set at the level 0.05. ", m)
	}
	if slices.ContainsFunc(blk.Effects, func(e reports.Effect) bool { return e.Method == inference.Welch }) {
		b.WriteString("Variants that share no seed with it were compared by Welch's t test. ")
	}
	if blk.Margin > 0 {
		fmt.Fprintf(&b, "A variant is called equivalent where its Bonferroni interval lies within ±%s. ",
			s.Metric.WithUnit(reports.Number(s.Metric.Scale(blk.Margin), 1)))
	}
	if lo, hi, n := correlations(blk.Effects); n > 0 {
		fmt.Fprintf(&b, "Variant and reference correlate over seeds by %s. ", between(lo, hi))
	}
	b.WriteString("Intervals cover the spread over seeds, not the choice of pictures. ")
	return b.String()
}

// comparisons is how many arms could be tested.
func comparisons(es []reports.Effect) (n int) {
	for _, e := range es {
		n = max(n, e.Comparisons)
	}
	return n
}

func replicates(n int) string {
	if n <= 1 {
		return "One replicate was"
	}
	return fmt.Sprintf("%d replicates were", n)
}

func correlations(es []reports.Effect) (lo, hi float64, n int) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, e := range es {
		if !math.IsNaN(e.Correlation) {
			lo, hi, n = min(lo, e.Correlation), max(hi, e.Correlation), n+1
		}
	}
	return lo, hi, n
}

func between(lo, hi float64) string {
	a, b := reports.Number(lo, 2), reports.Number(hi, 2)
	if a == b {
		return a
	}
	return a + " to " + b
}

func software(p trials.Provenance) string {
	var parts []string
	if p.Version != "" {
		parts = append(parts, "mapsweep "+p.Version)
	}
	if p.Commit != "" {
		parts = append(parts, "commit "+shorten(p.Commit, 12))
	}
	if p.Go != "" {
		parts = append(parts, p.Go)
	}
	if p.CPU != "" {
		parts = append(parts, fmt.Sprintf("%s with %s", p.CPU, reports.Count(p.Cores, "core")))
	}
	if ds := slices.DeleteFunc(slices.Clone(p.Devices), func(d string) bool { return d == "cpu" }); len(ds) > 0 {
		parts = append(parts, strings.Join(ds, ", "))
	}
	if len(parts) == 0 {
		return "Software and machine were not recorded."
	}
	return "Software and machine: " + strings.Join(parts, ", ") + "."
}

// provenance lists everything that was recorded about where the results come from.
func provenance(s *reports.Snapshot) []fact {
	p := s.Study.Provenance
	var fs []fact
	add := func(words, value string) {
		if value != "" {
			fs = append(fs, fact{value, words})
		}
	}
	add("mapsweep", strings.TrimSpace(p.Version+" "+p.Commit))
	add("Go", p.Go)
	add("Host", p.Host)
	add("System", p.OS)
	if p.CPU != "" {
		add("Processor", fmt.Sprintf("%s, %s", p.CPU, reports.Count(p.Cores, "core")))
	}
	add("Trainer", backend(s))
	add("Devices", strings.Join(p.Devices, ", "))
	for _, d := range p.Data {
		add("Data "+d.Name, fmt.Sprintf("%d train, %d val, %d test images; %s; SHA-256 %s", d.Train, d.Val, d.Test, classes(len(d.Classes)), or(d.Hash, "not recorded")))
		for _, n := range d.Notes {
			add("Note on "+d.Name, n)
		}
	}
	keys := make([]string, 0, len(p.Extra))
	for k := range p.Extra {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		add(k, p.Extra[k])
	}
	if !s.Foreign() {
		add("Study seed", fmt.Sprint(s.Spec.Seed))
	}
	add("Created", moment(s.Study.Created))
	add("First trial", moment(s.Time.First))
	add("State of", moment(s.AsOf))
	return fs
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
