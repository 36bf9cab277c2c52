package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trials"
)

// TestScorePart holds scores of parts against COCO's on the same part: pictures and classes that are left out are not given
// to it, and of its precisions those of the area range are averaged.
func TestScorePart(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	names := []string{"bolt", "nut", "a+b"}
	const images = 30
	var gt []evaluate.GroundTruth
	var dt []evaluate.Detection
	objects := make([]int, images)
	for i := range images {
		objects[i] = 1 + r.IntN(9)
		for range objects[i] {
			side := []float64{10, 20, 50, 120}[r.IntN(4)]
			g := evaluate.Truth(i, r.IntN(len(names)), evaluate.Box{X: 400 * r.Float64(), Y: 400 * r.Float64(), W: side, H: side})
			gt = append(gt, g)
			b := g.Box
			b.X += side * 0.2 * r.NormFloat64()
			dt = append(dt, evaluate.Detection{Image: i, Class: g.Class, Box: b, Score: r.Float64()})
		}
	}
	m := evaluate.Match(gt, dt, images, names)
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	left := []trials.Artifact{{Name: "other"}, {Name: evaluate.MatchesName, Data: data}}
	sorted := slices.Sorted(slices.Values(objects))
	least := sorted[int(math.Ceil(0.8*images))-1] // four fifths of the pictures have at most as many
	want := func(dense bool, class, area, first, last int) float64 {
		keep := func(image, k int) bool { return (!dense || objects[image] >= least) && (class < 0 || k == class) }
		var g []evaluate.GroundTruth
		var d []evaluate.Detection
		for _, x := range gt {
			if keep(x.Image, x.Class) {
				g = append(g, x)
			}
		}
		for _, x := range dt {
			if keep(x.Image, x.Class) {
				d = append(d, x)
			}
		}
		res := evaluate.COCO(g, d, images, len(names))
		sum, n := 0.0, 0
		for k := range names {
			for th := first; th <= last; th++ {
				for _, p := range res.Precision(th, k, area) {
					if p != evaluate.Undefined {
						sum, n = sum+p, n+1
					}
				}
			}
		}
		return sum / float64(n)
	}
	for metric, w := range map[string]float64{
		"mAP50@small":                      want(false, -1, evaluate.AreaSmall, 0, 0),
		"mAP50@small+dense":                want(true, -1, evaluate.AreaSmall, 0, 0),
		"mAP50-95@large":                   want(false, -1, evaluate.AreaLarge, 0, 9),
		"coco/mAP75@dense":                 want(true, -1, evaluate.AreaAll, 5, 5),
		"mAP50@class:a+b":                  want(false, 2, evaluate.AreaAll, 0, 0),
		"mAP50-95@medium+dense+class:bolt": want(true, 0, evaluate.AreaMedium, 0, 9),
	} {
		got, known, err := scorePart(metric, left)
		if err != nil || !known || math.Abs(got-w) > 1e-12 || !(w > 0 && w < 1) {
			t.Errorf("%s: %v, %v, %v, want %v", metric, got, known, err, w)
		}
	}
	for metric, why := range map[string]string{"mAP50@class:bot": `no class "bot"; did you mean "bolt"`} {
		if _, known, err := scorePart(metric, left); !known || err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, %v", metric, known, err)
		}
	}
	if _, known, err := scorePart("mAP50@small", left[:1]); !known || err == nil || !strings.Contains(err.Error(), "left no matches") {
		t.Errorf("without matches: %v, %v", known, err)
	}
	if _, known, err := scorePart("mAP50@small", []trials.Artifact{{Name: evaluate.MatchesName, Data: []byte("x")}}); !known || err == nil {
		t.Errorf("broken matches: %v, %v", known, err)
	}
	small := evaluate.Match(gt[:0], nil, images, names)
	if data, err = small.Encode(); err != nil {
		t.Fatal(err)
	}
	if _, known, err := scorePart("mAP50@small", []trials.Artifact{{Name: evaluate.MatchesName, Data: data}}); !known || err == nil || !strings.Contains(err.Error(), "have no small objects") {
		t.Errorf("without objects: %v, %v", known, err)
	}
	for _, metric := range []string{"mAP50", "loss/box", "fitness@small", "mAP50@tiny"} {
		if _, known, _ := scorePart(metric, left); known {
			t.Errorf("%s is made here", metric)
		}
	}
}
