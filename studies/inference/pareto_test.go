package inference_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// TestPareto compares with pymoo and Optuna, see testdata/pareto_gen.py.
func TestPareto(t *testing.T) {
	raw, err := os.ReadFile("testdata/pareto.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Directions  []trials.Direction `json:"directions"`
		Points      [][]float64        `json:"points"`
		Reference   []float64          `json:"reference"`
		Front       []int              `json:"front"`
		Hypervolume float64            `json:"hypervolume"`
	}
	if err := json.Unmarshal(raw, &cases); err != nil || len(cases) < 5 {
		t.Fatal(err, len(cases))
	}
	for i, c := range cases {
		if got := inference.Front(c.Points, c.Directions); !slices.Equal(got, c.Front) {
			t.Errorf("case %d: front %v, pymoo has %v", i, got, c.Front)
		}
		got, err := inference.Hypervolume(c.Points, c.Reference, c.Directions)
		if err != nil || math.Abs(got-c.Hypervolume) > 1e-12 {
			t.Errorf("case %d: hypervolume %.15f (%v), pymoo has %.15f", i, got, err, c.Hypervolume)
		}
	}
}

var twoGoals = []trials.Direction{trials.Maximize, trials.Minimize}

// TestParetoByHand: a unit square with a bite; worse and missing points add nothing.
func TestParetoByHand(t *testing.T) {
	points := [][]float64{{1, 0.5}, {0.5, 0}, {0.4, 0.6}, {math.NaN(), 0}, {1}, {2, 3}, {0.5, 0}}
	if got := inference.Front(points, twoGoals); !slices.Equal(got, []int{0, 1, 5, 6}) {
		t.Errorf("front %v, want 0, 1, 5 and the same point 6", got)
	}
	if got, err := inference.Hypervolume(points, []float64{0, 1}, twoGoals); err != nil || math.Abs(got-0.75) > 1e-15 {
		t.Errorf("hypervolume %v (%v), want 0.75", got, err)
	}
	if got := inference.Nadir([][]float64{{1, 0.5}, {0.5, 0}, {math.NaN(), 9}}, twoGoals); !slices.Equal(got, []float64{0.45, 0.55}) {
		t.Errorf("nadir %v, want 0.45, 0.55", got)
	}
	if !inference.Dominates([]float64{1, 0}, []float64{1, 1}, twoGoals) || inference.Dominates([]float64{1, 0}, []float64{1, 0}, twoGoals) ||
		inference.Dominates([]float64{2, 1}, []float64{1, 0}, twoGoals) || inference.Dominates([]float64{2, 0}, []float64{1, math.NaN()}, twoGoals) {
		t.Error("domination")
	}
}

func TestParetoOfNothing(t *testing.T) {
	if got := inference.Front(nil, twoGoals); len(got) != 0 {
		t.Errorf("front %v", got)
	}
	if got := inference.Nadir(nil, twoGoals); got != nil {
		t.Errorf("nadir %v", got)
	}
	if got, err := inference.Hypervolume(nil, []float64{0, 1}, twoGoals); got != 0 || err != nil {
		t.Errorf("hypervolume %v, %v", got, err)
	}
	for _, reference := range [][]float64{nil, {1}, {math.NaN(), 1}} {
		if _, err := inference.Hypervolume(nil, reference, twoGoals); err == nil {
			t.Errorf("reference %v was taken", reference)
		}
	}
	if _, err := inference.Hypervolume(nil, make([]float64, 4), make([]trials.Direction, 4)); err == nil {
		t.Error("four objectives were taken")
	}
}
