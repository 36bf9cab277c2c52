package tables

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/studies/inference/images"
)

// Pictures is the table of a block's effects with two intervals: over seeds alone, and over seeds and validation
// pictures. It is empty where the trials keep no matches.
func Pictures(ctx context.Context, s *reports.Snapshot, block int) (Table, error) {
	b := &s.Blocks[block]
	t := Table{Name: "pictures", Title: title(s, b), Columns: []Column{{Title: "change"}, {Title: "effect", Right: true}, {Title: "seeds alone", Right: true},
		{Title: "seeds and pictures", Right: true}, {Title: "variance: seeds", Right: true}, {Title: "pictures", Right: true}, {Title: "both", Right: true}}}
	p, err := s.TwoLevel(ctx, b)
	if errors.Is(err, reports.ErrNoPictures) || err == nil && len(p.Effects) == 0 {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	labels := map[string]string{}
	for _, a := range b.Arms {
		labels[a.Name] = a.Label
	}
	for _, e := range p.Effects {
		t.Rows = append(t.Rows, pictureRow(s.Metric, labels[e.Arm], e))
	}
	t.Notes = append([]string{fmt.Sprintf("Intervals of 95 %%. Seeds alone: other trainings, scored on these %d pictures. Seeds and pictures: other trainings and other pictures of the kind, from %d draws of both. "+
		"The last columns split the variance that this interval rests on.", p.Pictures, p.Draws)}, advice(p.Effects, labels)...)
	t.Notes = append(t.Notes, p.Notes...)
	if s.Sequential() {
		t.Notes = append(t.Notes, stoppedNote)
	}
	return t, nil
}

func pictureRow(m reports.Metric, name string, e images.Estimate) []Cell {
	if e.Reason != "" {
		return []Cell{label(name), {}, {}, {}, {}, {}, {}}
	}
	shown := func(low, high float64) reports.Effect {
		return reports.Effect{Effect: inference.Effect{Mean: e.Mean, Low: low, High: high}}
	}
	both := shown(e.Low, e.High)
	row := []Cell{label(name), cell(m.Effect(both)), cell(m.Interval(shown(e.SeedLow, e.SeedHigh))), cell(m.Interval(both))}
	for _, v := range []float64{e.Variance.Seeds, e.Variance.Images, e.Variance.Both} {
		row = append(row, cell(share(v/e.Variance.Total())))
	}
	return row
}

// share is a part of the variance in percent.
func share(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return reports.Number(100*x, 0) + " %"
}

// advice says what would narrow the intervals, and of which effects nothing can be said.
func advice(es []images.Estimate, labels map[string]string) []string {
	var notes, order []string
	by := map[string][]string{}
	for _, e := range es {
		if e.Reason != "" {
			notes = append(notes, labels[e.Arm]+": "+e.Reason+".")
		}
		if e.Advice == "" {
			continue
		}
		if by[e.Advice] == nil {
			order = append(order, e.Advice)
		}
		by[e.Advice] = append(by[e.Advice], labels[e.Arm])
	}
	for _, a := range order {
		of := "For " + strings.Join(by[a], ", ")
		if len(by[a]) == len(es) {
			of = "For every change"
			if len(es) == 1 {
				of = "For this change"
			}
		}
		notes = append(notes, of+": "+a+".")
	}
	return notes
}

// DocumentPictures is the uncertainty over seeds and pictures of a block.
type DocumentPictures struct {
	Reason   string             `json:"reason,omitempty"` // why there is none
	Draws    int                `json:"draws,omitempty"`
	Pictures int                `json:"pictures,omitempty"`
	Arms     []DocumentEstimate `json:"arms,omitempty"`
	Effects  []DocumentEstimate `json:"effects,omitempty"` // against the reference
	Notes    []string           `json:"notes,omitempty"`
}

// DocumentEstimate is one score or effect; what cannot be told is null, and Reason says why.
type DocumentEstimate struct {
	Arm            string   `json:"arm"`
	Seeds          int      `json:"seeds"`
	Mean           *float64 `json:"mean"`
	SE             *float64 `json:"se"`
	Low            *float64 `json:"low"` // over seeds and pictures
	High           *float64 `json:"high"`
	SeedLow        *float64 `json:"seed_low"` // over seeds alone
	SeedHigh       *float64 `json:"seed_high"`
	VarianceSeeds  *float64 `json:"variance_seeds"`
	VarianceImages *float64 `json:"variance_pictures"`
	VarianceBoth   *float64 `json:"variance_both"`
	Advice         string   `json:"advice,omitempty"`
	Reason         string   `json:"reason,omitempty"`
}

// newDocumentPictures is nil for a block without arms.
func newDocumentPictures(s *reports.Snapshot, b *reports.Block) *DocumentPictures {
	if len(b.Arms) == 0 {
		return nil
	}
	p, err := s.TwoLevel(context.Background(), b)
	if err != nil {
		return &DocumentPictures{Reason: err.Error()}
	}
	d := &DocumentPictures{Draws: p.Draws, Pictures: p.Pictures, Notes: p.Notes}
	for _, e := range p.Arms {
		d.Arms = append(d.Arms, documentEstimate(e))
	}
	for _, e := range p.Effects {
		d.Effects = append(d.Effects, documentEstimate(e))
	}
	return d
}

func documentEstimate(e images.Estimate) DocumentEstimate {
	return DocumentEstimate{Arm: e.Arm, Seeds: e.Seeds, Mean: null(e.Mean), SE: null(e.SE), Low: null(e.Low), High: null(e.High),
		SeedLow: null(e.SeedLow), SeedHigh: null(e.SeedHigh), VarianceSeeds: null(e.Variance.Seeds), VarianceImages: null(e.Variance.Images),
		VarianceBoth: null(e.Variance.Both), Advice: e.Advice, Reason: e.Reason}
}
