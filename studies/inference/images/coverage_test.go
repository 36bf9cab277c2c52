package images_test

import (
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference/images"
)

// cover counts how often the intervals of the difference of two arms hold the truth, which is 0: both arms are drawn
// alike. seeds is of the t interval that holds the pictures fixed, plain of the percentiles as drawn.
func cover(t *testing.T, w world, n, studies, draws int) (whole, plain, seeds float64, advice map[string]int) {
	t.Helper()
	advice = map[string]int{}
	for i := range studies {
		arms := w.arms(rand.New(rand.NewPCG(uint64(i), uint64(n))), n)
		e := analyse(t, arms, images.Options{Target: all, Draws: draws, Seed: uint64(i)}).Effects[0]
		if e.Low <= 0 && e.High >= 0 {
			whole++
		}
		if e.DrawnLow <= 0 && e.DrawnHigh >= 0 {
			plain++
		}
		if e.SeedLow <= 0 && e.SeedHigh >= 0 {
			seeds++
		}
		advice[e.Advice]++
	}
	m := float64(studies)
	t.Logf("%d seeds, %d studies: covers %.3f, percentiles as drawn %.3f, seeds alone %.3f; %v", n, studies, whole/m, plain/m, seeds/m, advice)
	return whole / m, plain / m, seeds / m, advice
}

// worlds are the kinds of scatter: between seeds, between pictures, of a training on a picture, and of all three.
var worlds = map[string]world{
	"seeds":    {images: 80, seed: .6, own: 1},
	"pictures": {images: 80, arm: 1, seed: .05, own: 1},
	"chance":   {images: 80, own: 1, one: 1},
	"all":      {images: 80, arm: .4, seed: .2, own: 1, one: .5},
}

// Where pictures matter an interval over seeds covers far too seldom, that over both as it should, and the advice is to
// get pictures.
func TestCoverage(t *testing.T) {
	whole, _, seeds, advice := cover(t, worlds["pictures"], 5, 60, 100)
	if whole < .87 || seeds > .8 || advice[images.MoreImages] < 40 || advice[images.MoreSeeds] > 0 {
		t.Errorf("covers %.2f, seeds alone %.2f, %v", whole, seeds, advice)
	}
	if whole, _, _, advice = cover(t, worlds["seeds"], 5, 60, 100); whole < .87 || advice[images.MoreImages] > 0 {
		t.Errorf("covers %.2f, %v", whole, advice)
	}
}
