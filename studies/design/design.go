package design

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// ErrSearch is returned for a study whose points a sampler proposes.
var ErrSearch = errors.New("a search has no points in advance")

// Arm names with a meaning of their own.
const (
	Baseline = "baseline" // the baseline as the study file has it
	Full     = "full"     // leave-one-out: every factor at its last level
)

// Change is a factor that differs from the reference.
type Change struct {
	Factor string `json:"factor"`
	From   any    `json:"from"`
	To     any    `json:"to"`
}

// Arm is one variant: a configuration that is run once per replicate and data set.
type Arm struct {
	Name    string        `json:"name"`
	Params  trials.Params `json:"params"`          // complete: the baseline with the changes
	Changed []Change      `json:"changed"`         // against the reference arm, in factor order; without one against the baseline
	Times   int           `json:"times,omitempty"` // runs per replicate of the design, for an arm that it has more than once
}

func (a Arm) times() int { return max(1, a.Times) }

// Point is one trial to run.
type Point struct {
	Key       string        `json:"key"` // unique in the study, the same when replicates or levels are added
	Arm       string        `json:"arm"`
	Params    trials.Params `json:"params"` // complete
	Changed   []Change      `json:"changed"`
	Replicate int           `json:"replicate"` // from 0
	Seed      int64         `json:"seed"`
	Data      string        `json:"data"`  // "" if the study names no data set
	Block     int           `json:"block"` // index of the data set
}

// Count says for a plan how much of it one factor takes.
type Count struct {
	Factor string `json:"factor"`
	Levels []any  `json:"levels"`
	Arms   int    `json:"arms"`   // arms in which it differs from the reference
	Trials int    `json:"trials"` // of these arms, over replicates and data sets
}

// Plan is what a fixed design runs.
type Plan struct {
	Design     string   `json:"design"`
	Reference  string   `json:"reference"` // the arm that effects are counted from; "" for a grid and where Spec.Screens
	Arms       []Arm    `json:"arms"`      // reference first
	Points     []Point  `json:"points"`    // in the order of running
	Counts     []Count  `json:"counts"`    // by factor
	Replicates int      `json:"replicates"`
	Data       []string `json:"data"`
	Notes      []string `json:"notes"` // merged and meaningless arms, for people

	Resolution string   `json:"resolution,omitempty"` // of a fraction: III, IV ... or full
	Generators []string `json:"generators,omitempty"` // E=ABC, before fold-over
	Relation   []string `json:"relation,omitempty"`   // words of the defining relation, fold-over included, shortest first
	Aliases    []Alias  `json:"aliases,omitempty"`
	Error      float64  `json:"effect_error,omitempty"` // standard error of a main effect on one data set, over the sd of a trial; 0: not the same for all
}

// Arm finds an arm by name.
func (p Plan) Arm(name string) (Arm, bool) {
	for _, a := range p.Arms {
		if a.Name == name {
			return a, true
		}
	}
	return Arm{}, false
}

// Points lays out a fixed design:
//
//   - one-factor: the baseline, then each other level of each factor alone. Effects are against the baseline.
//   - leave-one-out: the full configuration, in which every factor has its last level, then for each factor
//     the full configuration with that factor put back to its baseline value ("without mixup"), and the
//     baseline itself. Effects are against the full configuration, so that an arm says what is lost when one
//     component is left out while all others are there; one-factor says what one component brings alone.
//   - factorial: every combination of levels. Effects are against the baseline.
//   - variants: the baseline, then each configuration that the study names. Effects are against the baseline.
//   - grid: the same points, every arm named by all its levels, no reference.
//   - fractional-factorial, plackett-burman: part of the combinations of two levels. Effects are read from all
//     runs together; Plan.Aliases says which of them the design cannot tell apart.
//   - latin-hypercube, sobol: points spread over ranges and levels, named as in a grid.
//
// A factor whose requirement is not met in an arm (mixup without mosaic) changes nothing
// there. Arms that would train the same thing twice for that reason are merged, and
// Plan.Notes says so; in the designs that spread points they become replicates of one arm. Every point is run once
// per replicate and data set.
func Points(s studies.Spec) (Plan, error) {
	if !s.Fixed() {
		return Plan{}, fmt.Errorf("lay out study %s: %w", s.Name, ErrSearch)
	}
	b := builder{spec: s, base: baseline(s), seen: map[string]string{}}
	p := Plan{Design: s.Design, Reference: Baseline, Replicates: max(1, s.Replicates), Data: s.Trainer.Data}
	switch s.Design {
	case studies.DesignOneFactor:
		b.oneFactor()
	case studies.DesignLeaveOneOut:
		p.Reference = Full
		b.leaveOneOut()
	case studies.DesignFactorial:
		b.combine(false)
	case studies.DesignVariants:
		b.variants()
	case studies.DesignGrid:
		p.Reference = ""
		b.combine(true)
	case studies.DesignFractional, studies.DesignPlackettBurman, studies.DesignLatinHypercube, studies.DesignSobol:
		p.Reference = ""
		if err := b.screen(&p); err != nil {
			return Plan{}, fmt.Errorf("lay out study %s: %w", s.Name, err)
		}
	default:
		return Plan{}, fmt.Errorf("lay out study %s: unknown design %q", s.Name, s.Design)
	}
	if s.Design != studies.DesignFractional && s.Design != studies.DesignPlackettBurman {
		b.inertNotes()
	}
	p.Arms, p.Notes = b.arms, b.notes
	p.Points = spread(p, s.Seed)
	p.Error = b.effectError(p)
	p.Counts = counts(p, s.Factors)
	return p, nil
}

// baseline is the complete baseline: a factor that it does not name has its first level.
func baseline(s studies.Spec) trials.Params {
	base := s.Baseline.Clone()
	for _, f := range s.Factors {
		if _, named := base[f.Name]; !named && len(f.Levels) > 0 {
			base[f.Name] = f.Levels[0]
		}
	}
	return base
}

// spread repeats the arms over data sets and replicates. An arm that the design has m times gets replicates 0 to m-1
// first, then m to 2m-1 ...: no seed comes twice, and the first ones stay when there are more.
func spread(p Plan, seed int64) []Point {
	data := p.Data
	if len(data) == 0 {
		data = []string{""}
	}
	var points []Point
	for r := range p.Replicates {
		for block, d := range data {
			for _, a := range p.Arms {
				for n := r * a.times(); n < (r+1)*a.times(); n++ {
					points = append(points, Point{
						Key: key(a.Name, d, n), Arm: a.Name, Params: a.Params.Clone(), Changed: a.Changed,
						Replicate: n, Seed: Seed(seed, n), Data: d, Block: block,
					})
				}
			}
		}
	}
	return points
}

// key names a point for ever: neither other arms nor the number of replicates enter it.
func key(arm, data string, replicate int) string {
	k := arm + " r" + strconv.Itoa(replicate)
	if data != "" {
		k += " " + data
	}
	return k
}

func counts(p Plan, factors []studies.Factor) []Count {
	var cs []Count
	for _, f := range factors {
		c := Count{Factor: f.Name, Levels: f.Levels}
		for _, a := range p.Arms {
			for _, ch := range a.Changed {
				if ch.Factor == f.Name {
					c.Arms++
					c.Trials += a.times() * p.Replicates * max(1, len(p.Data))
				}
			}
		}
		cs = append(cs, c)
	}
	return cs
}

// armName is the changed levels in factor order: "mosaic=0 mixup=0".
func armName(changes []Change) string {
	var parts []string
	for _, c := range changes {
		parts = append(parts, c.Factor+"="+level(c.To))
	}
	return strings.Join(parts, " ")
}

// level prints a level; text with spaces or an equals sign is quoted, so that arm names stay readable and unique.
func level(v any) string {
	s := trials.FormatValue(v)
	if text, ok := v.(string); ok && strings.ContainsAny(text, " =\"\t") {
		return strconv.Quote(text)
	}
	return s
}
