package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Options say what is compared, and how.
type Options struct {
	Paired bool   // seed by seed; the zero value takes the studies as independent
	Metric string // in place of the objectives; "": these
	Arm    string // name or label of the only variant to compare; "": all
}

// Comparison is two studies side by side. Differences are always B minus A.
type Comparison struct {
	A, B        *reports.Snapshot
	Metric      reports.Metric
	Paired      bool
	Level       float64 // chance of a false verdict
	Blocks      []Block // pairs of data sets; empty for searches
	Best        *Best   // of searches, else nil
	Differences []Difference
	Notes       []string // sentences that a reader must see
}

// Block is a data set of each study.
type Block struct {
	A, B      *reports.Block
	Margin    float64 // 0: none, or not the same in both
	Reference *Row    // nil where a study lacks its reference
	Rows      []Row   // variants that both studies have, in A's order
	OnlyA     []string
	OnlyB     []string // labels of variants without a partner
}

// Row is an arm that both studies have.
type Row struct {
	Label            string
	A, B             reports.Arm
	EffectA, EffectB *reports.Effect // nil in the row of the references
	// Difference is that of the effects, and in the row of the references that of their means. Verdict better means that B's
	// is in the metric's favour.
	Difference inference.Effect
	Mind       string // how the two arms are not quite the same; ""
}

// New compares two studies. Errors say in a sentence why they cannot be compared.
func New(a, b *reports.Snapshot, o Options) (*Comparison, error) {
	var err error
	if o.Metric != "" {
		if a, err = a.Rescored(o.Metric); err != nil {
			return nil, err
		}
		if b, err = b.Rescored(o.Metric); err != nil {
			return nil, err
		}
	}
	c := &Comparison{A: a, B: b, Metric: a.Metric, Paired: o.Paired, Level: a.Spec.Rules.Level()}
	switch {
	case a.Metric.Key != b.Metric.Key:
		return nil, fmt.Errorf("the studies score different things: A %s, B %s; --metric names one that both measured", a.Metric.Key, b.Metric.Key)
	case a.Metric.Direction != b.Metric.Direction:
		return nil, fmt.Errorf("no common sense of better: A %ss %s, B %ss it", strings.ToLower(string(a.Metric.Direction)), a.Metric.Key,
			strings.ToLower(string(b.Metric.Direction)))
	case (a.Search == nil) != (b.Search == nil):
		return nil, fmt.Errorf("one study reads effects and the other ranks configurations: there are no variants to match")
	}
	c.Differences = differences(a, b)
	if a.Search != nil {
		if o.Paired || o.Arm != "" {
			return nil, fmt.Errorf("the studies rank configurations: their best ones are compared, and there are no variants to pair or to choose from")
		}
		c.Best = best(a, b)
		c.Notes = c.notes()
		return c, nil
	}
	pairs, err := dataPairs(a, b)
	if err != nil {
		return nil, err
	}
	if o.Paired {
		if err := pairable(a, b, pairs); err != nil {
			return nil, err
		}
	}
	for _, p := range pairs {
		c.Blocks = append(c.Blocks, c.block(&a.Blocks[p[0]], &b.Blocks[p[1]], o.Arm))
	}
	if o.Arm != "" && !slices.ContainsFunc(c.Blocks, func(b Block) bool { return len(b.Rows) > 0 }) {
		return nil, fmt.Errorf("no variant %q is in both studies; they share %s", o.Arm, sharedWords(c, pairs))
	}
	c.Notes = c.notes()
	return c, nil
}

func sharedWords(c *Comparison, pairs [][2]int) string {
	var names []string
	for _, p := range pairs {
		for _, r := range c.block(&c.A.Blocks[p[0]], &c.B.Blocks[p[1]], "").Rows {
			if !slices.Contains(names, r.Label) {
				names = append(names, r.Label)
			}
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, "; ")
}

// dataPairs says which blocks belong together: those of the same name, and where each study has one only, these.
func dataPairs(a, b *reports.Snapshot) ([][2]int, error) {
	var pairs [][2]int
	for i, x := range a.Blocks {
		for k, y := range b.Blocks {
			if x.Data == y.Data {
				pairs = append(pairs, [2]int{i, k})
			}
		}
	}
	switch {
	case len(pairs) > 0:
		return pairs, nil
	case len(a.Blocks) == 1 && len(b.Blocks) == 1:
		return [][2]int{{0, 0}}, nil
	}
	names := func(s *reports.Snapshot) string {
		var t []string
		for _, x := range s.Blocks {
			t = append(t, x.Data)
		}
		return strings.Join(t, ", ")
	}
	return nil, fmt.Errorf("the studies have no data set of the same name: A %s; B %s", names(a), names(b))
}

// block compares the arms of two data sets.
func (c *Comparison) block(a, b *reports.Block, only string) Block {
	out := Block{A: a, B: b}
	if a.Margin == b.Margin {
		out.Margin = a.Margin
	}
	refA, okA := a.Reference()
	refB, okB := b.Reference()
	if !okA || !okB {
		return out
	}
	row := Row{Label: refA.Label, A: *refA, B: *refB, Difference: inference.Compare(c.scores(*refA), c.scores(*refB), c.options(out.Margin, true))}
	out.Reference = &row
	used := map[string]bool{}
	for _, x := range a.Arms {
		if x.Reference || only != "" && !named(x, only) {
			continue
		}
		y, mind, ok := partner(x, b)
		if !ok {
			out.OnlyA = append(out.OnlyA, x.Label)
			continue
		}
		used[y.Name] = true
		out.Rows = append(out.Rows, c.row(out, x, y, mind))
	}
	for _, y := range b.Arms {
		if !y.Reference && !used[y.Name] && (only == "" || named(y, only)) {
			out.OnlyB = append(out.OnlyB, y.Label)
		}
	}
	c.correct(&out)
	return out
}

func named(a reports.Arm, name string) bool {
	return a.Name == name || a.Label == name || a.Short == name
}

// row compares the effects of two arms.
func (c *Comparison) row(b Block, x, y reports.Arm, mind string) Row {
	r := Row{Label: x.Label, A: x, B: y, Mind: mind}
	ea, _ := b.A.Effect(x.Name)
	eb, _ := b.B.Effect(y.Name)
	r.EffectA, r.EffectB = &ea, &eb
	o := c.options(b.Margin, false)
	switch {
	case c.sequential():
		r.Difference = spread(ea.Effect, eb.Effect, o)
	case c.Paired:
		r.Difference = inference.Compare(c.effects(b.Reference.A, x), c.effects(b.Reference.B, y), o)
	default:
		r.Difference = inference.Between(ea.Effect, eb.Effect, o)
	}
	return r
}

// options are those of a test between the studies; unpaired for scores of independent ones.
func (c *Comparison) options(margin float64, scores bool) inference.Options {
	return inference.Options{Alpha: c.Level, Margin: margin, Minimize: c.Metric.Gain(1) < 0, Unpaired: scores && !c.Paired, Paired: c.Paired}
}

// sequential says that replicates of a study were added until verdicts: plain t intervals do not hold then.
func (c *Comparison) sequential() bool { return c.A.Spec.Settle != nil || c.B.Spec.Settle != nil }

// correct corrects the block's differences as one family.
func (c *Comparison) correct(b *Block) {
	if c.sequential() {
		return
	}
	var es []inference.Effect
	for _, r := range b.Rows {
		es = append(es, r.Difference)
	}
	for i, e := range inference.Family(es) {
		b.Rows[i].Difference = e
	}
}

// scores are an arm's scores by seed.
func (c *Comparison) scores(a reports.Arm) map[int64]float64 {
	m := map[int64]float64{}
	for _, x := range a.Scores {
		m[key(x)] = x.Value
	}
	return m
}

// effects are an arm's differences to its reference by seed.
func (c *Comparison) effects(ref, a reports.Arm) map[int64]float64 {
	base, m := c.scores(ref), map[int64]float64{}
	for _, x := range a.Scores {
		if y, ok := base[key(x)]; ok {
			m[key(x)] = x.Value - y
		}
	}
	return m
}

// key pairs scores: a seed stands for one replicate.
func key(s reports.Score) int64 { return int64(s.Replicate) }

// partner is the arm of another study that changes the same.
func partner(x reports.Arm, b *reports.Block) (reports.Arm, string, bool) {
	for _, y := range b.Arms {
		if y.Reference || !sameChange(x, y) {
			continue
		}
		var mind []string
		for i, c := range sorted(x.Changes) {
			if d := sorted(y.Changes)[i]; !sameValue(c.From, d.From) {
				mind = append(mind, fmt.Sprintf("%s is changed from %s in A and from %s in B", c.Name, value(c.From), value(d.From)))
			}
		}
		return y, strings.Join(mind, ", "), true
	}
	return reports.Arm{}, "", false
}

// sameChange says that two arms change the same parameters to the same values.
func sameChange(x, y reports.Arm) bool {
	if len(x.Changes) == 0 || len(y.Changes) == 0 {
		return len(x.Changes) == len(y.Changes) && x.Name == y.Name
	}
	return slices.EqualFunc(sorted(x.Changes), sorted(y.Changes), func(c, d reports.Change) bool {
		return c.Name == d.Name && sameValue(c.To, d.To)
	})
}

func sorted(cs []reports.Change) []reports.Change {
	cs = slices.Clone(cs)
	slices.SortFunc(cs, func(a, b reports.Change) int { return strings.Compare(a.Name, b.Name) })
	return cs
}

func sameValue(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return trials.SameValue(a, b)
}

func value(v any) string {
	if v == nil {
		return "the trainer's default"
	}
	return trials.FormatValue(v)
}
