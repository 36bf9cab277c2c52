package assign_test

import (
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/assign"
)

// row makes n points 4 px apart on the line y = 10, from x = 2.
func row(n int) []float32 {
	var p []float32
	for i := range n {
		p = append(p, float32(2+4*i), 10)
	}
	return p
}

// same repeats one row of numbers for n points.
func same(n int, v ...float32) []float32 {
	var all []float32
	for range n {
		all = append(all, v...)
	}
	return all
}

func TestOnlyPointsStrictlyInside(t *testing.T) {
	o := assign.Object{X0: 6, Y0: 0, X1: 14, Y1: 20}
	points := row(5) // 2, 6, 10, 14, 18: the second and fourth lie on the edge
	var s assign.Assigner
	r := s.Assign(points, same(5, 6, 0, 14, 20), same(5, 0.5), 1, []assign.Object{o})
	want := []int32{-1, -1, 0, -1, -1}
	for i := range want {
		if r.Object[i] != want[i] {
			t.Errorf("point %d: object %d, want %d", i, r.Object[i], want[i])
		}
	}
	mark := []bool{true, true, true, true, true}
	assign.Inside(points, []assign.Object{o}, mark)
	for i := range mark {
		if mark[i] != (want[i] == 0) {
			t.Errorf("point %d: inside %v", i, mark[i])
		}
	}
}

func TestBestTenPoints(t *testing.T) {
	const n = 14
	o := assign.Object{Class: 1, X0: 0, Y0: 0, X1: 100, Y1: 20}
	scores := make([]float32, 2*n)
	for i := range n {
		scores[2*i] = 0.9                        // another class: must not count
		scores[2*i+1] = 0.05 + 0.01*float32(i%7) // ties: 7..13 repeat 0..6
	}
	var s assign.Assigner
	r := s.Assign(row(n), same(n, 0, 0, 100, 20), scores, 2, []assign.Object{o})
	// Ten best: both of 6, 5, 4, 3 and of the next tie (2 and 9) both.
	for i := range n {
		if got, want := r.Object[i] == 0, i%7 >= 2; got != want {
			t.Errorf("point %d assigned %v, want %v", i, got, want)
		}
	}
	if got := float64(r.Score[6]); math.Abs(got-1) > 1e-6 {
		t.Errorf("score of the best point %g, want its overlap 1", got)
	}
	if got, want := float64(r.Score[5]), math.Sqrt(0.10/0.11); math.Abs(got-want) > 1e-6 {
		t.Errorf("score of the second best point %g, want %g", got, want)
	}
}

func TestTieKeepsTheEarlierPoint(t *testing.T) {
	const n = 12
	o := assign.Object{X0: 0, Y0: 0, X1: 100, Y1: 20}
	var s assign.Assigner
	r := s.Assign(row(n), same(n, 0, 0, 100, 20), same(n, 0.3), 1, []assign.Object{o})
	for i := range n {
		if got, want := r.Object[i] == 0, i < assign.Usual.TopK; got != want {
			t.Errorf("point %d assigned %v, want %v", i, got, want)
		}
	}
}

func TestConflictGoesToTheLargerOverlap(t *testing.T) {
	// Both objects hold the point; the second has the better class score, the first the better box.
	objects := []assign.Object{{Class: 0, X0: 0, Y0: 0, X1: 20, Y1: 20}, {Class: 1, X0: 0, Y0: 0, X1: 30, Y1: 20}}
	var s assign.Assigner
	r := s.Assign([]float32{10, 10}, []float32{0, 0, 21, 20}, []float32{0.1, 0.99}, 2, objects)
	if r.Object[0] != 0 {
		t.Fatalf("object %d, want 0", r.Object[0])
	}
	want := assign.CIoU(assign.Box{X1: 21, Y1: 20}, assign.Box{X1: 20, Y1: 20})
	if math.Abs(float64(r.Score[0])-want) > 1e-6 {
		t.Errorf("score %g, want the overlap %g", r.Score[0], want)
	}
}

func TestNormalisedByWhatTheObjectKeeps(t *testing.T) {
	// Object 1's best point is lost to object 0; its scores must be normalised by the point it keeps.
	objects := []assign.Object{{X0: 0, Y0: 0, X1: 8, Y1: 20}, {X0: 0, Y0: 0, X1: 16, Y1: 20}}
	points := []float32{4, 10, 12, 10}
	boxes := []float32{0, 0, 8, 20 /**/, 4, 0, 16, 20}
	var s assign.Assigner
	r := s.Assign(points, boxes, []float32{0.9, 0.1}, 1, objects)
	if r.Object[0] != 0 || r.Object[1] != 1 {
		t.Fatalf("objects %v", r.Object)
	}
	want := assign.CIoU(assign.Box{X0: 4, X1: 16, Y1: 20}, assign.Box{X1: 16, Y1: 20})
	if math.Abs(float64(r.Score[1])-want) > 1e-5 {
		t.Errorf("score %g, want %g", r.Score[1], want)
	}
}

func TestNothingBelowTheThreshold(t *testing.T) {
	o := []assign.Object{{X0: 0, Y0: 0, X1: 20, Y1: 20}}
	for name, c := range map[string]struct{ box, score []float32 }{
		"score zero":     {[]float32{0, 0, 20, 20}, []float32{0}},
		"far-off box":    {[]float32{50, 50, 70, 70}, []float32{0.9}},
		"tiny overlap":   {[]float32{0, 0, 3, 3}, []float32{0.5}},
		"box not finite": {[]float32{float32(math.NaN()), 0, 20, 20}, []float32{0.9}},
	} {
		var s assign.Assigner
		if r := s.Assign([]float32{10, 10}, c.box, c.score, 1, o); r.Object[0] != -1 || r.Score[0] != 0 {
			t.Errorf("%s: object %d, score %g", name, r.Object[0], r.Score[0])
		}
	}
}

func TestBuffersDoNotLeakIntoTheNextPicture(t *testing.T) {
	var s assign.Assigner
	o := assign.Object{X0: 0, Y0: 0, X1: 100, Y1: 20}
	s.Assign(row(12), same(12, 0, 0, 100, 20), same(12, 0.3), 1, []assign.Object{o, o, o})
	if r := s.Assign(row(12), nil, nil, 1, nil); len(r.Object) != 12 {
		t.Fatalf("%d points", len(r.Object))
	} else {
		for i := range r.Object {
			if r.Object[i] != -1 || r.Score[i] != 0 {
				t.Errorf("point %d: object %d, score %g without any object", i, r.Object[i], r.Score[i])
			}
		}
	}
}

func TestCIoU(t *testing.T) {
	a := assign.Box{X0: 0, Y0: 0, X1: 10, Y1: 10}
	for _, c := range []struct {
		name string
		b    assign.Box
		want float64
	}{
		{"equal", a, 1},
		{"half", assign.Box{X0: 5, Y0: 0, X1: 15, Y1: 10}, 1.0/3 - 25.0/(225+100)},
		{"apart", assign.Box{X0: 20, Y0: 0, X1: 30, Y1: 10}, -400.0 / (900 + 100)},
		// v = 4/pi^2 (atan 2 - atan 1)^2, IoU 1/2, alpha = v / (v + 1/2).
		{"other shape", assign.Box{X0: 0, Y0: 0, X1: 20, Y1: 10}, 0.5 - 25.0/500 - otherShape()},
	} {
		if got := assign.CIoU(a, c.b); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
}

func otherShape() float64 {
	v := 4 / (math.Pi * math.Pi) * math.Pow(math.Atan(2)-math.Atan(1), 2)
	return v * v / (v + 0.5)
}

func TestCIoUGradient(t *testing.T) {
	// alpha is a constant of the gradient, so the check uses boxes of the object's own shape class
	// (alpha v = 0 to first order) beside shapes whose v term is removed by hand.
	o := assign.Box{X0: 10, Y0: 12, X1: 30, Y1: 52}
	for _, p := range []assign.Box{
		{X0: 12, Y0: 10, X1: 28, Y1: 42}, {X0: 5, Y0: 20, X1: 25, Y1: 60}, {X0: 12, Y0: 20, X1: 22, Y1: 40}, {X0: 40, Y0: 60, X1: 60, Y1: 100},
	} {
		_, g := assign.CIoUGrad(p, o)
		at := func(b assign.Box) float64 { return frozen(b, o, p) }
		const h = 1e-6
		for i, c := range []struct {
			got  float64
			move assign.Box
		}{{g.X0, assign.Box{X0: h}}, {g.Y0, assign.Box{Y0: h}}, {g.X1, assign.Box{X1: h}}, {g.Y1, assign.Box{Y1: h}}} {
			up := assign.Box{X0: p.X0 + c.move.X0, Y0: p.Y0 + c.move.Y0, X1: p.X1 + c.move.X1, Y1: p.Y1 + c.move.Y1}
			down := assign.Box{X0: p.X0 - c.move.X0, Y0: p.Y0 - c.move.Y0, X1: p.X1 - c.move.X1, Y1: p.Y1 - c.move.Y1}
			if want := (at(up) - at(down)) / (2 * h); math.Abs(c.got-want) > 1e-7 {
				t.Errorf("%v, corner %d: %g, central difference %g", p, i, c.got, want)
			}
		}
	}
}

// frozen is CIoU of b and o with alpha as it is at base.
func frozen(b, o, base assign.Box) float64 {
	v := func(b assign.Box) float64 {
		return 4 / (math.Pi * math.Pi) * math.Pow(math.Atan((o.X1-o.X0)/(o.Y1-o.Y0))-math.Atan((b.X1-b.X0)/(b.Y1-b.Y0)), 2)
	}
	iou := func(b assign.Box) float64 {
		w, h := math.Max(0, math.Min(b.X1, o.X1)-math.Max(b.X0, o.X0)), math.Max(0, math.Min(b.Y1, o.Y1)-math.Max(b.Y0, o.Y0))
		return w * h / ((b.X1-b.X0)*(b.Y1-b.Y0) + (o.X1-o.X0)*(o.Y1-o.Y0) - w*h)
	}
	alpha := func(b assign.Box) float64 {
		if v(b) == 0 {
			return 0
		}
		return v(b) / (v(b) + 1 - iou(b))
	}
	return assign.CIoU(b, o) + alpha(b)*v(b) - alpha(base)*v(b)
}

func BenchmarkAssign(b *testing.B) {
	points := make([]float32, 0, 640)
	for _, s := range []int{8, 16} {
		for y := range 128 / s {
			for x := range 128 / s {
				points = append(points, (float32(x)+0.5)*float32(s), (float32(y)+0.5)*float32(s))
			}
		}
	}
	var boxes, scores []float32
	for i := range 320 {
		x, y := points[2*i], points[2*i+1]
		boxes = append(boxes, x-14, y-15, x+13, y+12)
		scores = append(scores, 0.01, 0.02, 0.03, 0.04, float32(i%10)/10)
	}
	var objects []assign.Object
	for i := range 8 {
		x, y := float32(12*i), float32(31*i%96)
		objects = append(objects, assign.Object{Class: i % 5, X0: x, Y0: y, X1: x + 26, Y1: y + 28})
	}
	var s assign.Assigner
	b.ReportAllocs()
	for b.Loop() {
		for range 16 {
			s.Assign(points, boxes, scores, 5, objects)
		}
	}
}

func TestRuleOfAllObjects(t *testing.T) {
	all := assign.Usual
	all.All = true
	t.Run("no least alignment", func(t *testing.T) {
		o := []assign.Object{{X0: 0, Y0: 0, X1: 20, Y1: 20}}
		s := assign.Assigner{Method: all}
		r := s.Assign([]float32{10, 10}, []float32{9, 9, 12, 12}, []float32{0.01}, 1, o)
		ov := assign.CIoU(assign.Box{X0: 9, Y0: 9, X1: 12, Y1: 12}, assign.Box{X1: 20, Y1: 20})
		metric := 0.1 * math.Pow(ov, 6)
		if want := metric / (metric + 1e-9) * ov; r.Object[0] != 0 || math.Abs(float64(r.Score[0])-want) > 1e-9 || metric > 1e-9 {
			t.Errorf("object %d, score %g, want %g; alignment %g", r.Object[0], r.Score[0], want, metric)
		}
		for name, box := range map[string][]float32{"apart": {50, 50, 70, 70}, "not finite": {float32(math.NaN()), 0, 20, 20}} {
			if r := s.Assign([]float32{10, 10}, box, []float32{0.9}, 1, o); r.Object[0] != -1 || r.Score[0] != 0 {
				t.Errorf("box %s: object %d, score %g", name, r.Object[0], r.Score[0])
			}
		}
	})
	t.Run("an object that does not claim the point", func(t *testing.T) {
		// Both wide objects claim the point; its box is almost the third object, which does not hold it.
		objects := []assign.Object{{X0: 0, Y0: 0, X1: 20, Y1: 20}, {X0: 0, Y0: 0, X1: 24, Y1: 20}, {X0: 12, Y0: 0, X1: 24, Y1: 20}}
		s := assign.Assigner{Method: all}
		for _, c := range []struct {
			rule bool
			want int32
		}{{true, 2}, {false, 1}} {
			s.Method.All = c.rule
			r := s.Assign([]float32{10, 10}, []float32{11, 0, 24, 20}, []float32{0.5}, 1, objects)
			o := objects[c.want]
			ov := assign.CIoU(assign.Box{X0: 11, X1: 24, Y1: 20}, assign.Box{X0: float64(o.X0), X1: float64(o.X1), Y1: 20})
			if r.Object[0] != c.want || math.Abs(float64(r.Score[0])-ov) > 1e-5 {
				t.Errorf("rule of all objects %v: object %d, score %g, want %d, %g", c.rule, r.Object[0], r.Score[0], c.want, ov)
			}
		}
	})
	t.Run("as ever where objects keep apart", func(t *testing.T) {
		const n = 14
		o := []assign.Object{{X0: 0, Y0: 0, X1: 100, Y1: 20}}
		scores := make([]float32, n)
		for i := range scores {
			scores[i] = 0.05 + 0.01*float32(i%7)
		}
		a, b := assign.Assigner{}, assign.Assigner{Method: all}
		want, got := a.Assign(row(n), same(n, 0, 0, 90, 20), scores, 1, o), b.Assign(row(n), same(n, 0, 0, 90, 20), scores, 1, o)
		for i := range n {
			if got.Object[i] != want.Object[i] || math.Abs(float64(got.Score[i]-want.Score[i])) > 1e-7 {
				t.Errorf("point %d: object %d, score %g, want %d, %g", i, got.Object[i], got.Score[i], want.Object[i], want.Score[i])
			}
		}
	})
}
