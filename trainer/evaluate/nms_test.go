package evaluate_test

import (
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

func BenchmarkNMS(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	all := make([]evaluate.Candidate, 1600) // 320 anchor points x 5 classes
	for i := range all {
		x, y := r.Float32()*100, r.Float32()*100
		all[i] = evaluate.Candidate{Class: i % 5, X0: x, Y0: y, X1: x + 25, Y1: y + 25, Score: r.Float32() * .1}
	}
	c := make([]evaluate.Candidate, len(all))
	for b.Loop() {
		copy(c, all)
		evaluate.NMS(c, evaluate.DefaultNMS)
	}
}
