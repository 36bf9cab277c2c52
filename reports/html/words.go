package html

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies"
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
			data = append(data, dataWords(s, b.Data))
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
		b += " trainer"
		if g, ok := s.GPUs(); ok && len(g.Names) == 1 {
			b += " on " + g.Names[0]
		} else if ok {
			b += fmt.Sprintf(" on %d GPUs", len(g.Names))
		}
		parts = append(parts, b)
	}
	return strings.Join(parts, ", ")
}

func backend(s *reports.Snapshot) string {
	if s.Spec.Trainer.Backend != "" {
		return s.Spec.Trainer.Backend
	}
	return s.Study.Provenance.Backend
}

// dataWords names a data set with its size.
func dataWords(s *reports.Snapshot, name string) string {
	for _, d := range s.Study.Provenance.Data {
		if d.Name != name || d.Train == 0 {
			continue
		}
		w := fmt.Sprintf("%s (%d train, %d val images", name, d.Train, d.Val)
		if d.Test > 0 {
			w = fmt.Sprintf("%s (%d train, %d val, %d test images", name, d.Train, d.Val, d.Test)
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

// facts are the four numbers under the answer.
func facts(s *reports.Snapshot) []fact {
	fs := []fact{headline(s), accounting(s), elapsed(s)}
	if s.Search != nil {
		return append(fs, fact{fmt.Sprint(len(s.Search.Candidates)), "configurations with a complete " + feasible(s) + "trial, out of " + reports.Count(s.Count.Planned, "planned trial")})
	}
	return append(fs, visible(s))
}

// feasible is an adjective for trials where some broke a constraint.
func feasible(s *reports.Snapshot) string {
	if s.Search.Infeasible > 0 {
		return "and feasible "
	}
	return ""
}

func headline(s *reports.Snapshot) fact {
	b := &s.Blocks[0]
	if s.Search != nil {
		if len(s.Search.Candidates) == 0 {
			return fact{"none", "best " + s.Metric.Key + ": no trial is complete"}
		}
		if s.Confirmed.Shown() {
			p := s.Confirmed.Blocks[0].Points[0]
			return fact{s.Metric.MeanSpread(p.Confirmed.Mean, p.Confirmed.SD), fmt.Sprintf("confirmed %s%s of the search's best (%s)", s.Metric.Key, unit(s.Metric), reports.Count(p.Confirmed.N, "fresh seed"))}
		}
		if f := s.Front; f != nil {
			return fact{fmt.Sprint(len(f.On)), fmt.Sprintf("of %s on the Pareto front of %d objectives", reports.Count(len(f.Points), "complete trial"), len(f.Goals))}
		}
		c := s.Search.Candidates[0]
		if s.Optimistic() != "" {
			return fact{s.Metric.MeanSpread(c.Mean, c.SD), fmt.Sprintf("best %s%s (%s): optimistic", s.Metric.Key, unit(s.Metric), reports.Count(c.N, "trial"))}
		}
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
	if c.Continued > 0 {
		w += fmt.Sprintf("; %d pruned that went on as other trials", c.Continued)
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

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// gpuFacts say how trials used their GPUs.
func gpuFacts(g reports.GPUs) string {
	w := fmt.Sprintf("at most %d at the same time", g.AtOnce)
	if g.Each > 1 {
		w += fmt.Sprintf(", each on %d GPUs", g.Each)
	}
	if g.PeakMiB > 0 {
		w += fmt.Sprintf("; at most %d MiB each", g.PeakMiB)
	}
	if !math.IsNaN(g.Busy) {
		w += fmt.Sprintf("; the GPU busy %.0f %% of the time", 100*g.Busy)
	}
	return w
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
	if g, ok := s.GPUs(); ok {
		add("Trials on a GPU", gpuFacts(g))
	}
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
