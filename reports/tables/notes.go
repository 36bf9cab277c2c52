package tables

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// notes are the sentences under a block's table.
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
	if m := reports.Comparisons(b); m > 0 {
		n = append(n, "Mean ± standard deviation over seeds. Effects: differences to "+referenceWords(b)+", "+pairing(b)+"; "+correctedWords(s, b, m))
		if slices.ContainsFunc(b.Effects, func(e reports.Effect) bool { return e.Verdict == inference.NotShown }) {
			n = append(n, "“not shown” means that the data leave room for an effect and for none; it does not mean that there is none.")
		}
	}
	if t := marksNote(s, b); t != "" {
		n = append(n, t)
	}
	if len(b.Top) > 0 {
		n = append(n, bestNote)
	}
	return n
}

// pairing says how effects are differences.
func pairing(b *reports.Block) string {
	for _, e := range b.Effects {
		switch e.Method {
		case inference.Pooled:
			return "with one standard deviation from all arms, not paired"
		case inference.Welch:
			return "paired by seed, or by Welch's method where seeds do not pair the arms"
		}
	}
	return "paired by seed"
}

// correctedWords say what p values and intervals stand for.
func correctedWords(s *reports.Snapshot, b *reports.Block, comparisons int) string {
	return fmt.Sprintf("p values after %s over %s; the interval is each variant's own.", correctionNoun(s.Correction(b)), reports.Count(comparisons, "comparison"))
}

func correctionNoun(name string) string {
	if name == "e-BH" {
		return "e-BH correction"
	}
	return name + "'s correction"
}

// bestNote explains bold cells; a terminal without colour has daggers.
const (
	bestNote     = "Bold: not shown to be worse than the best."
	bestNoteMark = "† not shown to be worse than the best."
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

// untestedNotes give the reason for each arm with at most that many seeds that could not be tested.
func untestedNotes(b *reports.Block, seeds int) []string {
	return reasons(b, "Not tested", func(v inference.Verdict) bool { return v == inference.NotTested }, seeds)
}

// reasons give the reason for each arm of some verdicts with at most that many seeds, those with the same reason together.
func reasons(b *reports.Block, what string, of func(inference.Verdict) bool, seeds int) []string {
	var order []string
	labels := map[string][]string{}
	for _, e := range b.Effects {
		if !of(e.Verdict) || e.Reason == "" || e.N > seeds {
			continue
		}
		if labels[e.Reason] == nil {
			order = append(order, e.Reason)
		}
		labels[e.Reason] = append(labels[e.Reason], e.Label)
	}
	var n []string
	for _, r := range order {
		ls := labels[r]
		names := strings.Join(ls, "; ")
		if len(ls) > named {
			names = reports.Count(len(ls), "variant")
		}
		n = append(n, fmt.Sprintf("%s: %s (%s).", what, names, r))
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
	if c.Continued > 0 {
		t += fmt.Sprintf(" (and %d pruned that went on as other trials)", c.Continued)
	}
	if c.Ended != "" {
		t += "; the search was done before it had all its trials: " + c.Ended
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
