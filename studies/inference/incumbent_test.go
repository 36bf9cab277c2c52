package inference_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Bounds against numpy and scipy (testdata/incumbent/gen.py), both ways.
func TestIncumbents(t *testing.T) {
	raw, err := os.ReadFile("testdata/incumbent/values.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Candidates          [][][]float64
			Means, Lower, Upper []float64
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	for i, c := range file.Cases {
		var cs []inference.Candidate
		for _, blocks := range c.Candidates {
			cs = append(cs, inference.Candidate{Blocks: blocks})
		}
		for dir, bounds := range map[trials.Direction][]float64{trials.Maximize: c.Lower, trials.Minimize: c.Upper} {
			got := inference.Incumbents(dir, cs)
			if len(got) != len(cs) {
				t.Fatalf("case %d: %d of %d candidates", i, len(got), len(cs))
			}
			for k, s := range got {
				if math.Abs(s.Bound-bounds[s.Candidate]) > 1e-12 || math.Abs(s.Mean-c.Means[s.Candidate]) > 1e-12 {
					t.Errorf("case %d, %s, candidate %d: mean %v, bound %v, want %v, %v", i, dir, s.Candidate, s.Mean, s.Bound, c.Means[s.Candidate], bounds[s.Candidate])
				}
				if k > 0 && dir.Better(s.Bound, got[k-1].Bound) {
					t.Errorf("case %d, %s: place %d is better than the one before", i, dir, k)
				}
			}
		}
	}
}

// A lucky single value does not rank before a good mean; without replicates it does, as nothing is known of chance.
func TestIncumbentIsNotLuck(t *testing.T) {
	one := func(ys ...float64) inference.Candidate { return inference.Candidate{Blocks: [][]float64{ys}} }
	for _, c := range []struct {
		name string
		cs   []inference.Candidate
		want []int // order
	}{
		{"luck", []inference.Candidate{one(0.79), one(0.74, 0.76, 0.75, 0.77), one(0.5, 0.6)}, []int{1, 0, 2}},
		{"no replicates", []inference.Candidate{one(0.7), one(0.78), one(0.5)}, []int{1, 0, 2}},
		{"more values win a tie", []inference.Candidate{one(0.5), one(0.5, 0.5)}, []int{1, 0}},
		{"none", nil, nil},
		{"empty, NaN and infinite", []inference.Candidate{{}, one(math.NaN()), one(0.1), one(math.Inf(1), 1)}, []int{2}},
		{"a data set is missing", []inference.Candidate{{Blocks: [][]float64{{0.9}}}, {Blocks: [][]float64{{0.5}, {0.4}}}}, []int{1}},
	} {
		got := inference.Incumbents(trials.Maximize, c.cs)
		if len(got) != len(c.want) {
			t.Fatalf("%s: %+v, want the order %v", c.name, got, c.want)
		}
		for i, s := range got {
			if s.Candidate != c.want[i] {
				t.Errorf("%s: %+v, want the order %v", c.name, got, c.want)
				break
			}
		}
	}
}
