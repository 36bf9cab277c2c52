package inference_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// The difference of two paired effects is Welch's test of their differences, as SciPy computes it.
func TestBetween(t *testing.T) {
	raw, err := os.ReadFile("testdata/between.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			ReferenceA, VariantA, ReferenceB, VariantB []float64
			Mean, DF, P, Low, High                     float64
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	for i, c := range file.Cases {
		paired := inference.Options{Paired: true}
		a := inference.Compare(bySeed(c.ReferenceA), bySeed(c.VariantA), paired)
		b := inference.Compare(bySeed(c.ReferenceB), bySeed(c.VariantB), paired)
		e := inference.Between(a, b, inference.Options{})
		for _, x := range []struct {
			what      string
			got, want float64
		}{{"mean", e.Mean, c.Mean}, {"df", e.DF, c.DF}, {"p", e.P, c.P}, {"low", e.Low, c.Low}, {"high", e.High, c.High}} {
			near(t, x.what, x.got, x.want, 1e-9)
		}
		if e.N != min(len(c.VariantA), len(c.VariantB)) || e.Method != inference.Welch {
			t.Errorf("case %d: %+v", i, e)
		}
	}
}

// Effects without spread or with one pair give a sentence and no number.
func TestBetweenDegenerate(t *testing.T) {
	five := inference.Compare(bySeed([]float64{1, 2, 3, 4, 5}), bySeed([]float64{1.5, 2.7, 3.1, 4.9, 5.3}), inference.Options{Paired: true})
	one := inference.Compare(bySeed([]float64{1}), bySeed([]float64{2}), inference.Options{})
	same := inference.Compare(bySeed([]float64{1, 2, 3}), bySeed([]float64{2, 3, 4}), inference.Options{Paired: true})
	none := inference.Compare(map[int64]float64{}, map[int64]float64{}, inference.Options{})
	for name, e := range map[string]inference.Effect{"one pair": inference.Between(five, one, inference.Options{}),
		"no spread": inference.Between(same, same, inference.Options{}), "nothing": inference.Between(none, five, inference.Options{})} {
		if e.Verdict != inference.NotTested || e.Reason == "" || !math.IsNaN(e.P) || !math.IsNaN(e.Low) {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if e := inference.Between(same, five, inference.Options{}); e.DF != five.DF || e.SE != five.SE {
		t.Errorf("an effect that is known exactly adds no error: %+v", e)
	}
}
