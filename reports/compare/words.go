package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// notes are what a reader must know of the comparison.
func (c *Comparison) notes() []string {
	var n []string
	if c.Best != nil {
		n = append(n, "Each best configuration was chosen by the score that it is quoted with: both are optimistic, the one of the larger search more so, and no test was made.")
		return append(n, c.causes()...)
	}
	switch {
	case c.sequential():
		n = append(n, "Replicates were added until variants were settled: the difference of two effects lies between the outer ends of their own intervals, which hold together, and has no p value.")
	case c.Paired:
		n = append(n, "Paired by seed: a difference is, for each seed, B's effect minus A's.")
	default:
		n = append(n, "The studies are taken as independent: differences of effects are tested by Welch's method.")
		if pairs, err := dataPairs(c.A, c.B); err == nil && pairable(c.A, c.B, pairs) == nil {
			n = append(n, "Trainer, data and seeds agree: --paired compares seed by seed.")
		}
	}
	for _, b := range c.Blocks {
		if b.A.Margin != b.B.Margin {
			n = append(n, "The studies declare different margins, so that nothing is called the same within one.")
			break
		}
	}
	if x, y := c.A.Spec.Rules.Level(), c.B.Spec.Rules.Level(); x != y {
		n = append(n, fmt.Sprintf("The studies' levels differ (%g and %g); differences are tested at A's.", x, y))
	}
	return append(n, c.causes()...)
}

// causes says that what differs between the studies cannot be told apart.
func (c *Comparison) causes() []string {
	switch n := len(c.Differences); n {
	case 0:
		return []string{"Nothing that is recorded differs between the studies."}
	case 1:
		return []string{"One thing that is recorded differs between the studies: " + c.Differences[0].What + "."}
	default:
		return []string{fmt.Sprintf("%d things that are recorded differ between the studies: what is seen here cannot be put down to one of them.", n)}
	}
}

// Agreement says in a few words how the verdicts of two studies on a variant stand to each other.
func (r Row) Agreement() string {
	if r.EffectA == nil || r.EffectB == nil {
		return ""
	}
	x, y := r.EffectA.Verdict, r.EffectB.Verdict
	switch {
	case x == y && clear(x):
		return string(x) + " in both"
	case clear(x) && clear(y):
		return string(x) + " in A, " + string(y) + " in B"
	case x == y:
		return verdict(x) + " in either"
	}
	return verdict(x) + " in A, " + verdict(y) + " in B"
}

// Agrees says that both studies settled a variant, and in the same way.
func (r Row) Agrees() bool {
	return r.EffectA != nil && r.EffectB != nil && r.EffectA.Verdict == r.EffectB.Verdict &&
		(clear(r.EffectA.Verdict) || r.EffectA.Verdict == inference.Equivalent)
}

// Contradicts says that one study calls better what the other calls worse.
func (r Row) Contradicts() bool {
	return r.EffectA != nil && r.EffectB != nil && clear(r.EffectA.Verdict) && clear(r.EffectB.Verdict) && r.EffectA.Verdict != r.EffectB.Verdict
}

func clear(v inference.Verdict) bool { return v == inference.Better || v == inference.Worse }

func verdict(v inference.Verdict) string {
	switch v {
	case inference.Futile, inference.OutOfBudget, inference.Unsettled, reports.NotSettled:
		return "not settled"
	}
	return string(v)
}

// Verdict says how a difference between the studies stands.
func (c *Comparison) Verdict(e inference.Effect) string {
	switch e.Verdict {
	case inference.Better, inference.Worse:
		if e.Mean > 0 {
			return "higher in B"
		}
		return "lower in B"
	case inference.Equivalent:
		return "the same"
	case inference.NotShown:
		return "no difference shown"
	}
	return string(e.Verdict)
}

// spelled is how many variants a sentence names; more are counted.
const spelled = 4

// Answer says in plain sentences what the comparison found, a paragraph for each pair of data sets.
func (c *Comparison) Answer() []string {
	if c.Best != nil {
		return []string{c.bestWords()}
	}
	var out []string
	for _, b := range c.Blocks {
		out = append(out, c.blockWords(b))
	}
	return out
}

func (c *Comparison) blockWords(b Block) string {
	var parts []string
	if r := b.Reference; r != nil {
		parts = append(parts, c.referenceWords(*r))
	} else {
		return "A study lacks its reference: there is nothing to compare."
	}
	var agree, contradict, other []string
	for _, r := range b.Rows {
		switch {
		case r.Contradicts():
			contradict = append(contradict, fmt.Sprintf("%s (%s: %s, %s)", r.Label, r.Agreement(), c.effect(r.EffectA), c.effect(r.EffectB)))
		case r.Agrees():
			agree = append(agree, fmt.Sprintf("%s (%s: %s, %s)", r.Label, r.Agreement(), c.effect(r.EffectA), c.effect(r.EffectB)))
		default:
			other = append(other, fmt.Sprintf("%s (%s)", r.Label, r.Agreement()))
		}
	}
	add := func(what string, names []string) {
		if len(names) > 0 {
			parts = append(parts, what+" "+list(names)+".")
		}
	}
	add("The studies contradict each other on", contradict)
	add("The verdicts agree on", agree)
	add("Not settled by both:", other)
	parts = append(parts, c.differingWords(b)...)
	switch {
	case len(b.Rows) == 0:
		parts = append(parts, "The studies share no variant.")
	case len(b.OnlyA)+len(b.OnlyB) > 0:
		parts = append(parts, fmt.Sprintf("%s in A alone, %d in B alone.", reports.Count(len(b.OnlyA), "variant"), len(b.OnlyB)))
	}
	return strings.Join(parts, " ")
}

// differingWords say which effects differ from one study to the other, and that others are not shown to.
func (c *Comparison) differingWords(b Block) []string {
	var names []string
	open := 0
	for _, r := range b.Rows {
		switch r.Difference.Verdict {
		case inference.Better, inference.Worse:
			names = append(names, fmt.Sprintf("%s (by %s, interval %s)", r.Label, c.number(r.Difference), c.interval(r.Difference)))
		case inference.NotShown:
			open++
		}
	}
	var out []string
	if len(names) > 0 {
		out = append(out, "The effect differs between the studies for "+list(names)+".")
	}
	switch {
	case open > 0 && len(names) == 0 && open == len(b.Rows):
		out = append(out, "No difference between effects is shown, and none is excluded.")
	case open > 0:
		out = append(out, fmt.Sprintf("For %s no difference between the effects is shown.", reports.Count(open, "variant")))
	}
	return out
}

func (c *Comparison) referenceWords(r Row) string {
	d := r.Difference
	switch d.Verdict {
	case inference.Better, inference.Worse:
		word := "higher"
		if d.Mean < 0 {
			word = "lower"
		}
		return fmt.Sprintf("The %s scores %s %s in B (interval %s).", r.Label, c.Metric.WithUnit(strings.TrimLeft(c.number(d), "+−")), word, c.interval(d))
	case inference.Equivalent:
		return fmt.Sprintf("The %s scores the same in both (difference %s, interval %s).", r.Label, c.number(d), c.interval(d))
	case inference.NotShown:
		return fmt.Sprintf("No difference between the scores of the %s is shown (%s, interval %s).", r.Label, c.number(d), c.interval(d))
	}
	return fmt.Sprintf("The scores of the %s cannot be compared: %s.", r.Label, d.Reason)
}

func (c *Comparison) bestWords() string {
	a, b := c.Best.A, c.Best.B
	if a == nil || b == nil {
		return "A study has no complete trial: there is no best configuration to compare."
	}
	w := fmt.Sprintf("The best configuration has %s %s in A and %s in B", c.Metric.Key, c.Metric.MeanSpread(a.Mean, a.SD), c.Metric.WithUnit(c.Metric.MeanSpread(b.Mean, b.SD)))
	var differ []string
	for _, n := range c.Best.Names {
		x, inA := a.Params[n]
		y, inB := b.Params[n]
		if inA && inB && !sameValue(x, y) {
			differ = append(differ, fmt.Sprintf("%s (%s, %s)", n, reports.ShortValue(x), reports.ShortValue(y)))
		}
	}
	if len(differ) > 0 {
		return w + "; they differ in " + list(differ) + "."
	}
	return w + "."
}

func list(names []string) string {
	if len(names) > spelled {
		return strings.Join(names[:spelled], ", ") + fmt.Sprintf(" and %d more", len(names)-spelled)
	}
	if n := len(names); n > 1 && !slices.ContainsFunc(names, func(t string) bool { return strings.Contains(t, ", ") }) {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "; ")
}

// number, interval and effect write effects as tables do.
func (c *Comparison) number(e inference.Effect) string {
	return c.Metric.Effect(reports.Effect{Effect: e})
}

func (c *Comparison) interval(e inference.Effect) string {
	return c.Metric.Interval(reports.Effect{Effect: e})
}

func (c *Comparison) effect(e *reports.Effect) string {
	if e == nil || math.IsNaN(e.Mean) {
		return "no score"
	}
	return c.Metric.Effect(*e)
}
