package design

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// screen lays out the designs that spread points over the factors.
func (b *builder) screen(p *Plan) error {
	l := studies.Layout{}
	if b.spec.Layout != nil {
		l = *b.spec.Layout
	}
	switch b.spec.Design {
	case studies.DesignFractional:
		r, gs, err := fraction(b.spec.Factors, l)
		if err != nil {
			return err
		}
		b.regular(p, r, gs)
	case studies.DesignPlackettBurman:
		return b.plackettBurman(p, l)
	case studies.DesignLatinHypercube:
		b.spread(latin(max(1, l.Runs), len(b.spec.Factors), b.spec.Seed))
	case studies.DesignSobol:
		if n := len(b.spec.Factors); n > studies.MostDimensions {
			return fmt.Errorf("a Sobol sequence takes at most %d factors here, the study has %d", studies.MostDimensions, n)
		}
		b.spread(scrambled(max(1, l.Runs), len(b.spec.Factors), b.spec.Seed))
		if l.Runs&(l.Runs-1) != 0 {
			n := 1
			for n*2 < l.Runs {
				n *= 2
			}
			b.note("the points of a Sobol sequence are spread most evenly when their number is a power of 2: %d or %d", n, 2*n)
		}
	}
	return nil
}

// plackettBurman takes columns of a Hadamard matrix. With a power of 2 runs that is a regular fraction, and the one of
// least aberration serves better than any columns.
func (b *builder) plackettBurman(p *Plan, l studies.Layout) error {
	k := len(b.spec.Factors)
	n, err := studies.ScreeningRuns(k, l)
	if err != nil {
		return err
	}
	if exponent := log2(n); 1<<exponent == n && exponent <= k && k <= studies.MostLetters {
		gs := seated(b.spec.Factors, exponent)
		r := newRegular(k, gs)
		if l.FoldOver {
			r.fold()
		}
		b.note("a Plackett-Burman design of %d runs is a regular fraction: its interactions are clear or aliased wholly", n)
		b.regular(p, r, gs)
		return nil
	}
	rows, err := screening(k, n)
	if err != nil {
		return err
	}
	if l.FoldOver {
		rows = turned(rows)
	}
	coded := b.twoLevels(rows)
	p.aliasTable(b, AliasesOf(b.factors(), coded, 2))
	p.Resolution = b.resolutionOf(p.Aliases)
	return nil
}

// regular lays out a regular fraction.
func (b *builder) regular(p *Plan, r regular, gs []studies.Generator) {
	rows := r.rows()
	coded := b.twoLevels(rows)
	k := len(b.spec.Factors)
	var key []string
	for i, f := range b.factors() {
		key = append(key, studies.Letter(i)+" is "+f)
	}
	for _, g := range gs {
		p.Generators = append(p.Generators, g.String())
	}
	words, all := r.relation(mostWords)
	if len(gs) > 0 {
		b.note("in generators %s; -1 is the baseline's level, 1 the other one", strings.Join(key, ", "))
	}
	for _, w := range words[:min(mostWords, len(words))] {
		p.Relation = append(p.Relation, w.String())
	}
	if all > mostWords {
		b.note("the defining relation has %d words, of which the %d shortest are listed", all, mostWords)
	}
	if r.folded != 0 && !slices.ContainsFunc(newRegular(k, gs).independent(), func(w word) bool { return w.length()%2 == 1 }) {
		b.note("fold-over repeats the runs, and frees no effect from another: every word of the defining relation has an even length")
	}
	if !slices.Contains(b.names(), Baseline) {
		b.note("the baseline itself is not among the runs: a minus before products of an even number of factors, and none before others, would have it there")
	}
	switch {
	case b.nested(coded):
		p.aliasTable(b, AliasesOf(b.factors(), coded, 2))
		p.Resolution = b.resolutionOf(p.Aliases)
	case len(words) == 0:
		p.Resolution = fullResolution
	default:
		order := 2
		if k <= fewFactors {
			order = 3
		}
		p.Aliases = r.aliases(b.factors(), order)
		p.Resolution = roman(words[0].length())
	}
}

const (
	mostWords  = 31 // of a defining relation that a plan lists
	fewFactors = 6  // up to so many, aliases with interactions of three are listed
)

// twoLevels makes the runs of a coded design, -1 being the baseline's level of a factor, and returns what is really
// run: 0 where a factor changes nothing.
func (b *builder) twoLevels(rows [][]float64) [][]float64 {
	coded := make([][]float64, len(rows))
	for i, row := range rows {
		p := b.base.Clone()
		for j, f := range b.spec.Factors {
			if row[j] > 0 {
				p[f.Name] = f.Full(b.base[f.Name])
			}
		}
		coded[i] = slices.Clone(row)
		for j, f := range b.spec.Factors {
			if !b.active(f, p, len(b.spec.Factors)) {
				coded[i][j] = 0
			}
		}
		settled, _ := b.settle(p)
		name := Baseline
		if cs := b.changes(b.base, settled); len(cs) > 0 {
			name = armName(cs)
		}
		b.cell(name, settled)
	}
	b.nestedNotes(coded)
	b.repeatNote(len(rows))
	return coded
}

// spread makes points of the unit cube runs of the study.
func (b *builder) spread(points [][]float64) {
	for _, u := range points {
		p := b.base.Clone()
		for j, f := range b.spec.Factors {
			p[f.Name] = valueAt(b.spec, f, u[j])
		}
		settled, _ := b.settle(p)
		b.cell(b.fullName(settled), settled)
	}
	b.repeatNote(len(points))
	b.note("points are spread over the factors for main effects, importance and marginals; there is no arm to compare with, and no table of aliases")
}

// cell adds a run. One that trains what an earlier one trains is a further replicate of that one's arm.
func (b *builder) cell(name string, settled trials.Params) {
	id := settled.Key()
	if first, dup := b.seen[id]; dup {
		i := slices.IndexFunc(b.arms, func(a Arm) bool { return a.Name == first })
		b.arms[i].Times = b.arms[i].times() + 1
		return
	}
	b.seen[id] = name
	b.arms = append(b.arms, Arm{Name: name, Params: settled, Changed: b.changes(b.base, settled)})
}

func (b *builder) factors() []string {
	var out []string
	for _, f := range b.spec.Factors {
		out = append(out, f.Name)
	}
	return out
}

func (b *builder) names() []string {
	var out []string
	for _, a := range b.arms {
		out = append(out, a.Name)
	}
	return out
}

// effectError is that of the mean of one half of all trials less the mean of the other half. A nested factor has
// another one, and points that spread over ranges have none in that sense.
func (b *builder) effectError(p Plan) float64 {
	if p.Resolution == "" || b.halves {
		return 0
	}
	return 2 / math.Sqrt(float64(len(p.Points)/max(1, len(p.Data))))
}

func (b *builder) nested(coded [][]float64) bool {
	return slices.ContainsFunc(coded, func(row []float64) bool { return slices.Contains(row, 0) })
}
