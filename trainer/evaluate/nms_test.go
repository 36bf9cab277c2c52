package evaluate_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

func TestIoU(t *testing.T) {
	a := evaluate.Corners(0, 0, 10, 10)
	for _, c := range []struct {
		b     evaluate.Box
		crowd bool
		want  float64
	}{
		{a, false, 1}, {evaluate.Corners(5, 0, 15, 10), false, 1. / 3}, {evaluate.Corners(5, 0, 15, 10), true, .5},
		{evaluate.Corners(10, 0, 20, 10), false, 0}, {evaluate.Corners(30, 30, 40, 40), false, 0}, {evaluate.Corners(2, 2, 2, 8), false, 0},
	} {
		if got := evaluate.IoU(a, c.b, c.crowd); got != c.want {
			t.Errorf("IoU with %v (crowd %v) = %v, want %v", c.b, c.crowd, got, c.want)
		}
	}
}

func TestNMS(t *testing.T) {
	nan := float32(math.NaN())
	c := func(class int, x, score float32) evaluate.Candidate {
		return evaluate.Candidate{Class: class, X0: x, Y0: 0, X1: x + 10, Y1: 10, Score: score}
	}
	o := evaluate.NMSOptions{Score: .1, IoU: .5, Top: 5, Keep: 3}
	for name, x := range map[string]struct{ in, want []evaluate.Candidate }{
		"best first":              {[]evaluate.Candidate{c(0, 0, .3), c(0, 50, .9)}, []evaluate.Candidate{c(0, 50, .9), c(0, 0, .3)}},
		"suppressed":              {[]evaluate.Candidate{c(0, 0, .3), c(0, 1, .9)}, []evaluate.Candidate{c(0, 1, .9)}},
		"other class stays":       {[]evaluate.Candidate{c(1, 0, .3), c(0, 0, .9)}, []evaluate.Candidate{c(0, 0, .9), c(1, 0, .3)}},
		"suppressed do not count": {[]evaluate.Candidate{c(0, 0, .9), c(0, 3, .8), c(0, 6, .7)}, []evaluate.Candidate{c(0, 0, .9), c(0, 6, .7)}},
		"at the threshold":        {[]evaluate.Candidate{c(0, 0, .1), c(0, 50, .11)}, []evaluate.Candidate{c(0, 50, .11)}},
		"ties keep their order":   {[]evaluate.Candidate{c(0, 0, .5), c(1, 50, .5), c(0, 90, .5)}, []evaluate.Candidate{c(0, 0, .5), c(1, 50, .5), c(0, 90, .5)}},
		"not a number":            {[]evaluate.Candidate{c(0, 0, nan), c(0, 50, .5)}, []evaluate.Candidate{c(0, 50, .5)}},
		"keep":                    {[]evaluate.Candidate{c(0, 0, .9), c(0, 20, .8), c(0, 40, .7), c(0, 60, .6)}, []evaluate.Candidate{c(0, 0, .9), c(0, 20, .8), c(0, 40, .7)}},
		"top": {[]evaluate.Candidate{c(0, 0, .9), c(0, 0, .8), c(0, 0, .7), c(0, 0, .6), c(0, 0, .5), c(0, 60, .4)},
			[]evaluate.Candidate{c(0, 0, .9)}},
		"none":  {nil, nil},
		"empty": {[]evaluate.Candidate{{Score: .5}, {Score: .4}}, []evaluate.Candidate{{Score: .5}, {Score: .4}}},
	} {
		if got := evaluate.NMS(x.in, o); !slices.Equal(got, x.want) {
			t.Errorf("%s: %v, want %v", name, got, x.want)
		}
	}
}

// Without limits all candidates enter and all that are not suppressed stay.
func TestNMSWithoutLimits(t *testing.T) {
	const n = 2000
	var in []evaluate.Candidate
	for i := range n { // two in each place, of equal score: the first stays
		x := float32(20 * (i / 2))
		in = append(in, evaluate.Candidate{Class: i / 2 % 3, X0: x, X1: x + 10, Y1: float32(10 + i%2), Score: .5})
	}
	got := evaluate.NMS(slices.Clone(in), evaluate.NMSOptions{IoU: .5})
	if len(got) != n/2 {
		t.Fatalf("%d kept of %d", len(got), n)
	}
	for i, c := range got {
		if c != in[2*i] {
			t.Fatalf("place %d: %v, want %v", i, c, in[2*i])
		}
	}
}

// Suppression is what comparing every candidate with all kept before it gives.
func TestNMSPlain(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 50 {
		all := candidates(r, 400, 7)
		for i := range all {
			all[i].Score = float32(r.IntN(40)) / 40 // many are equal
			all[i].Class -= 3
		}
		o := evaluate.NMSOptions{Score: .1, IoU: .3 + .5*r.Float64(), Top: 300, Keep: 60}
		want := plainNMS(all, o)
		if got := evaluate.NMS(slices.Clone(all), o); !slices.Equal(got, want) {
			t.Fatalf("%d kept, want %d", len(got), len(want))
		}
	}
}

func plainNMS(all []evaluate.Candidate, o evaluate.NMSOptions) (kept []evaluate.Candidate) {
	in := slices.DeleteFunc(slices.Clone(all), func(c evaluate.Candidate) bool { return c.Score <= o.Score })
	slices.SortStableFunc(in, func(a, b evaluate.Candidate) int { return cmp.Compare(b.Score, a.Score) })
	box := func(c evaluate.Candidate) evaluate.Box {
		return evaluate.Corners(float64(c.X0), float64(c.Y0), float64(c.X1), float64(c.Y1))
	}
	for _, x := range in[:min(len(in), o.Top)] {
		over := slices.ContainsFunc(kept, func(k evaluate.Candidate) bool {
			return k.Class == x.Class && evaluate.IoU(box(k), box(x), false) > o.IoU
		})
		if !over && len(kept) < o.Keep {
			kept = append(kept, x)
		}
	}
	return kept
}

func candidates(r *rand.Rand, n, classes int) []evaluate.Candidate {
	all := make([]evaluate.Candidate, n)
	for i := range all {
		x, y := r.Float32()*100, r.Float32()*100
		all[i] = evaluate.Candidate{Class: i % classes, X0: x, Y0: y, X1: x + 25, Y1: y + 25, Score: r.Float32() * .1}
	}
	return all
}

// BenchmarkNMS: an image of a small detector (320 anchor points x 5 classes) with the limits of our validations, and one
// of a large one at a confidence of 0.001 (30,000 candidates of 80 classes) with the official program's limits and with none.
func BenchmarkNMS(b *testing.B) {
	for _, x := range []struct {
		name       string
		n, classes int
		o          evaluate.NMSOptions
	}{
		{"small", 1600, 5, evaluate.DefaultNMS},
		{"large", 30000, 80, evaluate.NMSOptions{Score: .001, IoU: .7, Top: 30000, Keep: 300}},
		{"unlimited", 30000, 80, evaluate.NMSOptions{Score: .001, IoU: .7}},
	} {
		b.Run(x.name, func(b *testing.B) {
			all := candidates(rand.New(rand.NewPCG(1, 2)), x.n, x.classes)
			c := make([]evaluate.Candidate, len(all))
			for b.Loop() {
				copy(c, all)
				evaluate.NMS(c, x.o)
			}
		})
	}
}
