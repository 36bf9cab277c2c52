package forecast

import (
	"maps"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/courses"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// Noise is how much scores of the study's reference differ from seed to seed on one data set, and what that lets the
// study see. All numbers are in the metric's stored unit.
type Noise struct {
	Data    string   `json:"data,omitempty"`
	Seeds   int      `json:"seeds"`   // that it was measured with
	Studies []string `json:"studies"` // where
	SD      float64  `json:"sd"`
	Low     float64  `json:"sd_low"` // 95 % interval of SD, by the chi-square distribution
	High    float64  `json:"sd_high"`
	// Rho is the correlation of reference and variants over seeds, from RhoPairs pairs; with 0 pairs it is not known
	// and taken as 0, as if pairing did not help.
	Rho      float64 `json:"rho"`
	RhoPairs int     `json:"rho_pairs"`
	// Smallest is the true effect that the study will show with a chance of 80 %, after correction for its variants; 0: its
	// replicates cannot show any.
	Smallest float64   `json:"smallest_effect,omitempty"`
	Needs    []Need    `json:"needs"`
	Outlooks []Outlook `json:"outlooks,omitempty"` // until settled, by simulation
}

// Need is how many replicates would show an effect of a size with a chance of 80 %, after correction.
type Need struct {
	Effect     float64 `json:"effect"`
	Why        string  `json:"why"`        // "the margin", "one point"
	Replicates int     `json:"replicates"` // of each variant
	More       bool    `json:"more"`       // more than that would be needed
}

// mostReplicates is up to where Needs are counted.
const mostReplicates = 1000

// Noises says what is known for each of the study's data sets; a data set without two finished seeds of the reference is
// left out, as is one whose scores do not differ. variants is how many the study compares with its reference.
func Noises(spec studies.Spec, past Past, variants int) []Noise {
	var list []Noise
	for _, d := range dataSets(spec) {
		var scores []float64
		for _, seed := range slices.Sorted(maps.Keys(past.Baseline[d])) {
			scores = append(scores, past.Baseline[d][seed])
		}
		s := inference.Summarize(scores)
		if s.N < 2 || !(s.SD > 0) {
			continue
		}
		n := Noise{Data: d, Seeds: s.N, Studies: past.Scores, SD: s.SD, Rho: past.Rho, RhoPairs: past.RhoPairs, Needs: []Need{}}
		n.Low, n.High = inference.SDInterval(s.SD, s.N, inference.DefaultAlpha)
		n.see(spec, max(1, variants))
		list = append(list, n)
	}
	return list
}

// Outlook is what replicates until settled come to if a variant's true effect has a size.
type Outlook struct {
	Effect float64 `json:"effect"`
	Why    string  `json:"why"` // "no effect", "one point"
	inference.Outlook
}

// outlooks simulate a variant without an effect, and one with an effect that people ask for.
func outlooks(spec studies.Spec, q inference.Sequence, sd float64) []Outlook {
	list := []Outlook{{0, "no effect", q.Outlook(0, sd)}}
	if studies.IsFraction(spec.Objective.Metric) {
		list = append(list, Outlook{0.01, "one point", q.Outlook(0.01, sd)})
	}
	return list
}

// see fills in what the study can show.
func (n *Noise) see(spec studies.Spec, variants int) {
	sd := inference.DifferenceSD(n.SD, min(n.Rho, 0.999))
	alpha := spec.Rules.Level() / float64(variants)
	small := inference.Detectable(spec.Replicates, sd, alpha, inference.DefaultPower)
	if spec.Settle != nil {
		q := courses.Sequence(spec, variants)
		small = q.Smallest(sd, inference.DefaultPower)
		n.Outlooks = outlooks(spec, q, sd)
	}
	if !math.IsNaN(small) && !math.IsInf(small, 0) {
		n.Smallest = small
	}
	need := func(effect float64, why string) {
		if effect > 0 {
			k, ok := inference.Needed(effect, sd, alpha, inference.DefaultPower, mostReplicates)
			n.Needs = append(n.Needs, Need{effect, why, k, !ok})
		}
	}
	need(spec.Margin(), "the margin")
	if studies.IsFraction(spec.Objective.Metric) {
		need(0.01, "one point")
	}
}
