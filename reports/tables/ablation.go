package tables

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// Ablation is the table of one block: the baseline, then every arm from the best effect to the worst.
func Ablation(s *reports.Snapshot, block int) Table {
	b := &s.Blocks[block]
	m := s.Metric
	t := Table{Name: "ablation", Title: title(s, b)}
	t.Columns = []Column{{"change", false}, {heading(m), true}, {"effect", true}, {"95 % interval", true},
		{"seeds", true}, {pHeading(s), true}, {"verdict", false}}
	if len(b.Arms) == 0 {
		t.Notes = append(t.Notes, "No trial of this study has an arm yet.")
		return t
	}
	at := map[string]int{}
	for i, a := range b.Arms {
		at[a.Name] = i
		if a.Reference {
			t.Rows = append(t.Rows, []Cell{label(a.Label), score(m, a, b.Best == i), {}, {}, cell(strconv.Itoa(len(a.Scores))), {}, {Text: "reference"}})
		}
	}
	for _, e := range s.Sorted(b) {
		i := at[e.Arm]
		tone := ToneOf(e.Verdict)
		t.Rows = append(t.Rows, []Cell{label(e.Label), score(m, b.Arms[i], b.Best == i), {Text: m.Effect(e), Tone: tone},
			cell(m.Interval(e)), cell(strconv.Itoa(e.N)), cell(reports.PValue(e.PHolm)), {Text: string(e.Verdict), Tone: tone}})
	}
	t.Notes = append(t.Notes, notes(s, b)...)
	return t
}

func title(s *reports.Snapshot, b *reports.Block) string {
	if len(s.Blocks) > 1 && b.Data != "" {
		return s.Study.Name + " on " + b.Data
	}
	return s.Study.Name
}

// score is the mean and spread of an arm.
func score(m reports.Metric, a reports.Arm, best bool) Cell {
	if len(a.Scores) == 0 {
		return Cell{Text: "no score", Tone: Open}
	}
	return Cell{Text: m.MeanSpread(a.Mean, a.SD), Strong: best}
}

func notes(s *reports.Snapshot, b *reports.Block) []string {
	var n []string
	switch {
	case len(b.Effects) == 0:
	case unscored(b):
		n = append(n, unscoredWords(s))
	case s.Sequential():
		n = append(n, settledNotes(s, b)...)
	case oneSeed(b) && s.Spec.Replicates > 1 && !s.Count.Done():
		n = append(n, "One seed per variant so far: no interval, and nothing can be said about chance yet.")
		n = append(n, untestedNotes(b, 0)...)
	case oneSeed(b) && s.Spec.Replicates <= 1:
		n = append(n, "One seed per variant: no interval, and nothing can be said about chance. Add replicates.")
		n = append(n, untestedNotes(b, 0)...)
	default:
		n = append(n, testedNotes(s, b)...)
		n = append(n, untestedNotes(b, math.MaxInt)...)
	}
	if slices.ContainsFunc(b.Effects, func(e reports.Effect) bool { return e.Verdict == inference.Inert }) {
		n = append(n, "“inert” means that the trainer does not read what the row changes, by the audit that is kept with the study: it shows chance.")
	}
	return append(n, Accounting(s))
}

// testedNotes say how to read effects and verdicts, if an arm could be tested.
func testedNotes(s *reports.Snapshot, b *reports.Block) []string {
	var n []string
	if tested(b) > 0 {
		n = append(n, fmt.Sprintf("Mean ± standard deviation over seeds. Effects: differences to %s, paired by seed; "+
			"p values after Holm's correction over %s; the interval is each variant's own.", referenceWords(b), comparisons(tested(b))))
		if slices.ContainsFunc(b.Effects, func(e reports.Effect) bool { return e.Verdict == inference.NotShown }) {
			n = append(n, "“not shown” means that the data leave room for an effect and for none; it does not mean that there is none.")
		}
	}
	if b.Best >= 0 {
		n = append(n, bestNote)
	}
	return n
}

// bestNote explains bold cells; a terminal without colour has stars.
const (
	bestNote     = "Bold: best, and set apart from every other variant by its interval."
	bestNoteStar = "* best, and set apart from every other variant by its interval."
)

// unscored says that no arm of the block has a score.
func unscored(b *reports.Block) bool {
	return !slices.ContainsFunc(b.Arms, func(a reports.Arm) bool { return len(a.Scores) > 0 })
}

func unscoredWords(s *reports.Snapshot) string {
	c := s.Count
	switch {
	case c.Finished() == 0:
		return "No score: no trial has finished yet."
	case c.Failed+c.Infeasible == c.Finished() && c.Done():
		return "No score: every trial failed; the reasons are with the failures."
	case !c.Done():
		return "No score: no trial is complete yet."
	}
	return "No score: no trial is complete."
}

// oneSeed says that arms were compared, and none of them by more than one seed.
func oneSeed(b *reports.Block) bool {
	one := false
	for _, e := range b.Effects {
		if e.N > 1 || e.Method == inference.Welch {
			return false
		}
		one = one || e.N == 1
	}
	return one
}

// untestedNotes give the reason for each arm with at most that many seeds that could not be tested, those with the
// same reason together.
func untestedNotes(b *reports.Block, seeds int) []string {
	var reasons []string
	labels := map[string][]string{}
	for _, e := range b.Effects {
		if e.Verdict != inference.NotTested || e.Reason == "" || e.N > seeds {
			continue
		}
		if labels[e.Reason] == nil {
			reasons = append(reasons, e.Reason)
		}
		labels[e.Reason] = append(labels[e.Reason], e.Label)
	}
	var n []string
	for _, r := range reasons {
		ls := labels[r]
		names := strings.Join(ls, "; ")
		if len(ls) > named {
			names = reports.Count(len(ls), "variant")
		}
		n = append(n, fmt.Sprintf("Not tested: %s (%s).", names, r))
	}
	return n
}

// named is how many arms a note names; more are only counted.
const named = 4

// referenceWords names the arm that effects are read against.
func referenceWords(b *reports.Block) string {
	if ref, ok := b.Reference(); ok && ref.Name == design.Full {
		return "the full configuration"
	}
	return "the baseline"
}

// tested is how many arms could be tested: Holm's correction counts these.
func tested(b *reports.Block) int {
	n := 0
	for _, e := range b.Effects {
		n = max(n, e.Comparisons)
	}
	return n
}

func comparisons(n int) string {
	if n == 1 {
		return "1 comparison"
	}
	return fmt.Sprintf("%d comparisons", n)
}

// Accounting says in one line where the planned trials are, as a sum.
func Accounting(s *reports.Snapshot) string {
	c := s.Count
	t := fmt.Sprintf("Trials: %d planned = %d complete + %d pruned + %d failed + %d infeasible + %d skipped",
		c.Planned, c.Complete, c.Pruned, c.Failed, c.Infeasible, c.Skipped)
	if c.Running+c.Waiting > 0 {
		t += fmt.Sprintf(" + %d running + %d waiting", c.Running, c.Waiting)
	}
	if c.Missing > 0 {
		t += fmt.Sprintf(" + %d never enqueued", c.Missing)
	}
	if c.Most > 0 {
		t += fmt.Sprintf(", up to %d until all variants are settled", c.Most)
	}
	if c.Repeated > 0 {
		t += fmt.Sprintf(" (and %d failed and repeated)", c.Repeated)
	}
	return t + "."
}

// changeWords joins several changes into one line.
func changeWords(cs []reports.Change) string {
	var t []string
	for _, c := range cs {
		t = append(t, c.String())
	}
	return strings.Join(t, ", ")
}
