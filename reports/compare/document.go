package compare

import (
	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Document is a comparison for other programs. Differences are B minus A, in the metric's stored unit.
type Document struct {
	A           string                 `json:"a"`
	B           string                 `json:"b"`
	Metric      string                 `json:"metric"`
	Paired      bool                   `json:"paired"`
	Level       float64                `json:"level"`
	Answer      []string               `json:"answer"` // a paragraph per pair of data sets
	Blocks      []DocumentBlock        `json:"blocks"`
	Best        []DocumentBest         `json:"best,omitempty"` // of searches: A's, then B's
	Differences []Difference           `json:"differences"`
	Notes       []string               `json:"notes"`
	Tables      []tables.DocumentTable `json:"tables"`
}

// DocumentBlock is a data set of each study.
type DocumentBlock struct {
	DataA     string        `json:"data_a"`
	DataB     string        `json:"data_b"`
	Margin    float64       `json:"margin"`
	Reference *DocumentRow  `json:"reference"`
	Arms      []DocumentRow `json:"arms"`
	OnlyA     []string      `json:"only_a"`
	OnlyB     []string      `json:"only_b"`
}

// DocumentRow is an arm that both studies have.
type DocumentRow struct {
	Arm        string            `json:"arm"`
	Label      string            `json:"label"`
	EffectA    *inference.Effect `json:"effect_a,omitempty"`
	EffectB    *inference.Effect `json:"effect_b,omitempty"`
	Difference inference.Effect  `json:"difference"`
	Verdicts   string            `json:"verdicts,omitempty"`
	Agrees     bool              `json:"agrees"`
	Mind       string            `json:"mind,omitempty"`
}

// DocumentBest is a best configuration.
type DocumentBest struct {
	Params trials.Params     `json:"params"`
	Score  inference.Summary `json:"score"`
}

// Document collects the comparison.
func (c *Comparison) Document() Document {
	d := Document{A: c.A.Study.Name, B: c.B.Study.Name, Metric: c.Metric.Key, Paired: c.Paired, Level: c.Level, Answer: c.Answer(), Blocks: []DocumentBlock{},
		Differences: append([]Difference{}, c.Differences...), Notes: append([]string{}, c.Notes...), Tables: tables.Documents(c.Tables())}
	for _, b := range c.Blocks {
		x := DocumentBlock{DataA: b.A.Data, DataB: b.B.Data, Margin: b.Margin, Arms: []DocumentRow{}, OnlyA: append([]string{}, b.OnlyA...), OnlyB: append([]string{}, b.OnlyB...)}
		if b.Reference != nil {
			r := documentRow(*b.Reference)
			x.Reference = &r
		}
		for _, r := range b.Rows {
			x.Arms = append(x.Arms, documentRow(r))
		}
		d.Blocks = append(d.Blocks, x)
	}
	if c.Best != nil {
		for _, s := range []*reports.Candidate{c.Best.A, c.Best.B} {
			if s != nil {
				d.Best = append(d.Best, DocumentBest{s.Params, inference.Summary{N: s.N, Mean: s.Mean, SD: s.SD}})
			}
		}
	}
	return d
}

func documentRow(r Row) DocumentRow {
	d := DocumentRow{Arm: r.A.Name, Label: r.Label, Difference: r.Difference, Verdicts: r.Agreement(), Agrees: r.Agrees(), Mind: r.Mind}
	if r.EffectA != nil {
		d.EffectA, d.EffectB = &r.EffectA.Effect, &r.EffectB.Effect
	}
	return d
}
