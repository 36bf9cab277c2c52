package inference_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference"
)

func looks(margin float64) inference.Sequence {
	return inference.Sequence{Options: inference.Options{Margin: margin}, Rule: inference.Looks, Looks: []int{3, 5, 8, 12}, Max: 12}
}

// The numbers of testdata/sequences.json were computed with NumPy and SciPy (testdata/gen_sequences.py).
//
//go:embed testdata/sequences.json
var sequencesJSON []byte

type sequences struct {
	Multipliers map[inference.Rule]map[int]*float64 // half-width of a look's interval in s/sqrt(n); nil: infinite
	Rows        []struct {
		Rule          inference.Rule
		Effect        float64 // standard deviations of a difference
		Settled, Mean float64
	}
}

func loadSequences(t *testing.T) sequences {
	t.Helper()
	var s sequences
	if err := json.Unmarshal(sequencesJSON, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSequentialMultipliers(t *testing.T) {
	for rule, multipliers := range loadSequences(t).Multipliers {
		for n, want := range multipliers {
			q := looks(0)
			q.Rule, q.Patient = rule, true
			base, variant := map[int]float64{}, map[int]float64{}
			for i := range n {
				base[i], variant[i] = 0.5, 0.5+0.01*float64(i%2)
			}
			steps := inference.Sequential(base, variant, q).Steps
			s := steps[len(steps)-1]
			half := (s.High - s.Low) / 2 / (s.SD / math.Sqrt(float64(n)))
			if want == nil {
				if !math.IsInf(half, 1) {
					t.Errorf("%s with %d pairs: %v, want no bound", rule, n, half)
				}
				continue
			}
			near(t, fmt.Sprintf("%s with %d pairs", rule, n), half, *want, 1e-9)
		}
	}
}

// A sequence is judged at its looks, in the order of replicates, and what comes in after the verdict changes nothing.
func TestSequentialStops(t *testing.T) {
	base, variant := map[int]float64{}, map[int]float64{}
	for i := range 12 {
		base[i] = 0.5
		variant[i] = 0.6 + 0.001*float64(i%3)
	}
	c := inference.Sequential(base, variant, looks(0.002))
	if c.Verdict != inference.Better || !c.Done || len(c.Steps) != 1 || c.N != 3 {
		t.Errorf("%s, %d steps, n %d", c.Verdict, len(c.Steps), c.N)
	}
	variant[11] = 0.1
	if again := inference.Sequential(base, variant, looks(0.002)); again.Mean != c.Mean {
		t.Error("a late replicate changed a settled verdict")
	}
	few := inference.Sequential(map[int]float64{0: 1, 1: 2}, map[int]float64{0: 1, 1: 2.5}, looks(0))
	if few.Verdict != inference.Unsettled || few.Done || len(few.Steps) != 0 || few.N != 2 {
		t.Errorf("%+v", few)
	}
	if _, err := json.Marshal(few); err != nil {
		t.Error(err)
	}
}
