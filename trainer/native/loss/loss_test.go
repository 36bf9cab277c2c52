package loss_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/assign"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

var gains = loss.Gains{Box: 7.5, Class: 0.5, DFL: 1.5}

// heads makes a head output over strides 8 and 16 with the logits of testdata/gen.py.
func heads(size, n, k, r int, ampBox, ampClass float64) loss.Heads {
	h := loss.Heads{N: n, K: k, R: r}
	for _, s := range []int{8, 16} {
		for y := range size / s {
			for x := range size / s {
				h.Points = append(h.Points, (float32(x)+0.5)*float32(s), (float32(y)+0.5)*float32(s))
				h.Stride = append(h.Stride, float32(s))
			}
		}
	}
	h.A = len(h.Stride)
	h.Box, h.Class = stream(n*h.A*4*r, 1, ampBox), stream(n*h.A*k, 2, ampClass)
	return h
}

func stream(count, s int, amplitude float64) []float32 {
	x := make([]float32, count)
	for i := range x {
		x[i] = float32((float64((i*7919+s*104729)%2003)/1001 - 1) * amplitude)
	}
	return x
}

// fixture is one case of testdata/loss.json, computed by PyTorch 2.15 in float64 (testdata/gen.py).
type fixture struct {
	Name           string
	Size, N, K, R  int
	AmpBox         float64 `json:"amp_box"`
	AmpClass       float64 `json:"amp_cls"`
	TopK           int
	Alpha, Beta    float64
	Smoothing      float64
	ClsPW          float64 `json:"cls_pw"`
	Gamma          float64
	Truths         [][]float64
	Points         []int
	Owner          []int32
	Score          []float64
	Box, Cls, DFL  float64
	GradBox        map[string][]float64 `json:"grad_box"`
	GradClass      []float64            `json:"grad_cls"`
	truths         []loss.Truth
	heads          loss.Heads
	dBox, dClasses []float32
}

// loss is a Loss with the fixture's settings.
func (f fixture) loss() *loss.Loss {
	return &loss.Loss{Method: assign.Method{TopK: f.TopK, Alpha: f.Alpha, Beta: f.Beta},
		Classes: loss.Classes{Smoothing: f.Smoothing, Weight: f.ClsPW, Gamma: f.Gamma}}
}

func fixtures(t *testing.T) []fixture {
	t.Helper()
	data, err := os.ReadFile("testdata/loss.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []fixture
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		f := &all[i]
		for _, r := range f.Truths {
			f.truths = append(f.truths, loss.Truth{Image: int(r[0]), Class: int(r[1]),
				X0: float32(r[2]), Y0: float32(r[3]), X1: float32(r[4]), Y1: float32(r[5])})
		}
		f.heads = heads(f.Size, f.N, f.K, f.R, f.AmpBox, f.AmpClass)
		f.dBox, f.dClasses = make([]float32, len(f.heads.Box)), make([]float32, len(f.heads.Class))
	}
	return all
}

func near(a, b, tol float64) bool { return math.Abs(a-b) <= tol*(1+math.Abs(b)) }

func TestAssignmentAgreesWithPyTorch(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(f.Name, func(t *testing.T) {
			got, err := f.loss().Assign(f.heads, f.truths)
			if err != nil {
				t.Fatal(err)
			}
			want := make(map[int]int)
			for i, p := range f.Points {
				want[p] = i
			}
			for p, truth := range got.Truth {
				i, positive := want[p]
				switch {
				case positive != (truth >= 0):
					t.Errorf("point %d: truth %d, positive in PyTorch %v", p, truth, positive)
				case positive && truth != f.Owner[i]:
					t.Errorf("point %d: truth %d, want %d", p, truth, f.Owner[i])
				case positive && !near(float64(got.Score[p]), f.Score[i], 1e-6):
					t.Errorf("point %d: score %g, want %g", p, got.Score[p], f.Score[i])
				case !positive && got.Score[p] != 0:
					t.Errorf("background point %d has score %g", p, got.Score[p])
				}
			}
		})
	}
}

func TestPartsAndGradientsAgreeWithPyTorch(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(f.Name, func(t *testing.T) {
			for i := range f.dBox {
				f.dBox[i] = 7 // must be overwritten
			}
			p, err := f.loss().Compute(f.heads, f.truths, gains, 1, f.dBox, f.dClasses)
			if err != nil {
				t.Fatal(err)
			}
			if !near(p.Box, f.Box, 1e-6) || !near(p.Class, f.Cls, 1e-6) || !near(p.DFL, f.DFL, 1e-6) {
				t.Errorf("parts %+v, want %g %g %g", p, f.Box, f.Cls, f.DFL)
			}
			for key, want := range f.GradBox {
				i, _ := strconv.Atoi(key)
				row := f.dBox[i*4*f.R : (i+1)*4*f.R]
				for j := range want {
					if !near(float64(row[j]), want[j], 2e-6) {
						t.Errorf("box gradient of point %d, logit %d: %g, want %g", i, j, row[j], want[j])
					}
				}
			}
			background := map[int]bool{}
			for i := range f.heads.N * f.heads.A {
				background[i] = true
			}
			for _, i := range f.Points {
				background[i] = false
			}
			for i, g := range f.dBox {
				if background[i/(4*f.R)] && g != 0 {
					t.Fatalf("box gradient of background point %d is %g", i/(4*f.R), g)
				}
			}
			for i, want := range f.GradClass {
				if !near(float64(f.dClasses[i]), want, 2e-6) {
					t.Errorf("class gradient %d: %g, want %g", i, f.dClasses[i], want)
				}
			}
		})
	}
}

// plain evaluates the whole loss in float64 from its definition, with targets and CIoU's alpha held at base.
func plain(h loss.Heads, box, class []float64, t *loss.Targets, truths []loss.Truth, alpha map[int]float64) float64 {
	var lb, lc, ld float64
	target := make([]float64, len(class))
	for i, o := range t.Truth {
		if o < 0 {
			continue
		}
		truth, a, w := truths[o], i%h.A, float64(t.Score[i])
		target[i*h.K+truth.Class] = w
		x, y, st := float64(h.Points[2*a]), float64(h.Points[2*a+1]), float64(h.Stride[a])
		want := [4]float64{x - float64(truth.X0), y - float64(truth.Y0), float64(truth.X1) - x, float64(truth.Y1) - y}
		var d [4]float64
		for s := range d {
			z := box[(i*4+s)*h.R : (i*4+s+1)*h.R]
			sum := 0.0
			for _, v := range z {
				sum += math.Exp(v)
			}
			for k, v := range z {
				d[s] += float64(k) * math.Exp(v) / sum
			}
			q := math.Min(math.Max(want[s]/st, 0), float64(h.R)-1.01)
			l := int(math.Floor(q))
			ld += w / 4 * -((float64(l+1)-q)*(z[l]-math.Log(sum)) + (q-float64(l))*(z[l+1]-math.Log(sum)))
		}
		px0, py0, px1, py1 := x-d[0]*st, y-d[1]*st, x+d[2]*st, y+d[3]*st
		tx0, ty0, tx1, ty1 := float64(truth.X0), float64(truth.Y0), float64(truth.X1), float64(truth.Y1)
		iw, ih := math.Max(0, math.Min(px1, tx1)-math.Max(px0, tx0)), math.Max(0, math.Min(py1, ty1)-math.Max(py0, ty0))
		iou := iw * ih / ((px1-px0)*(py1-py0) + (tx1-tx0)*(ty1-ty0) - iw*ih)
		c2 := math.Pow(math.Max(px1, tx1)-math.Min(px0, tx0), 2) + math.Pow(math.Max(py1, ty1)-math.Min(py0, ty0), 2)
		rho := math.Pow((px0+px1-tx0-tx1)/2, 2) + math.Pow((py0+py1-ty0-ty1)/2, 2)
		v := 4 / (math.Pi * math.Pi) * math.Pow(math.Atan((tx1-tx0)/(ty1-ty0))-math.Atan((px1-px0)/(py1-py0)), 2)
		if _, ok := alpha[i]; !ok {
			alpha[i] = v / (1 - iou + v)
		}
		lb += w * (1 - iou + rho/c2 + alpha[i]*v)
	}
	for i, z := range class {
		p := 1 / (1 + math.Exp(-z))
		lc -= target[i]*math.Log(p) + (1-target[i])*math.Log(1-p)
	}
	return (gains.Box*lb + gains.Class*lc + gains.DFL*ld) / t.Total * float64(h.N)
}

func TestGradientAgainstCentralDifferences(t *testing.T) {
	const weight = 0.25
	h := heads(64, 2, 3, 8, 1.5, 3)
	truths := []loss.Truth{{0, 0, 5, 6, 45, 50}, {0, 2, 30, 20, 62, 60}, {1, 1, 0, 0, 33, 28}}
	dBox, dClass := make([]float32, len(h.Box)), make([]float32, len(h.Class))
	var l loss.Loss
	targets, err := l.Assign(h, truths)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Evaluate(h, targets, gains, weight, dBox, dClass); err != nil {
		t.Fatal(err)
	}
	box, class, alpha := wide(h.Box), wide(h.Class), map[int]float64{}
	plain(h, box, class, targets, truths, alpha)
	rng := rand.New(rand.NewPCG(1, 2))
	check := func(name string, x []float64, grad []float32, i int) {
		const step = 1e-5
		old := x[i]
		x[i] = old + step
		up := plain(h, box, class, targets, truths, alpha)
		x[i] = old - step
		down := plain(h, box, class, targets, truths, alpha)
		x[i] = old
		if want := weight * (up - down) / (2 * step); !near(float64(grad[i]), want, 1e-5) {
			t.Errorf("%s gradient %d: %g, central difference %g", name, i, grad[i], want)
		}
	}
	for range 60 {
		check("class", class, dClass, rng.IntN(len(class)))
	}
	positives := 0
	for i, o := range targets.Truth {
		if o < 0 {
			continue
		}
		positives++
		for range 6 {
			check("box", box, dBox, i*4*h.R+rng.IntN(4*h.R))
		}
	}
	if positives < 10 {
		t.Errorf("only %d positive points: the check is too weak", positives)
	}
}

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func TestExtremeLogitsStayFinite(t *testing.T) {
	h := heads(64, 1, 2, 8, 300, 400)
	for _, classes := range []loss.Classes{{}, {Smoothing: 0.1, Weight: 2, Gamma: 0.3}, {Gamma: 2}, {Weight: 10}} {
		l := loss.Loss{Classes: classes}
		dBox, dClass := make([]float32, len(h.Box)), make([]float32, len(h.Class))
		p, err := l.Compute(h, []loss.Truth{{0, 1, 4, 4, 60, 60}}, gains, 1, dBox, dClass)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range append(append(wide(dBox), wide(dClass)...), p.Box, p.Class, p.DFL) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%+v: not finite: %v of %+v", classes, v, p)
			}
		}
	}
}

// A second head may learn the targets of the first: what another Loss assigned, evaluated with buffers of its own.
func TestTargetsOfAnotherLoss(t *testing.T) {
	h, truths := crowd()
	var one, two loss.Loss
	targets, err := one.Assign(h, truths)
	if err != nil {
		t.Fatal(err)
	}
	dBox, dClass := make([]float32, len(h.Box)), make([]float32, len(h.Class))
	got, err := two.Evaluate(h, targets, gains, 1, dBox, dClass)
	if err != nil {
		t.Fatal(err)
	}
	var whole loss.Loss
	if want, err := whole.Compute(h, truths, gains, 1, dBox, dClass); err != nil || got != want {
		t.Errorf("%+v, want %+v (%v)", got, want, err)
	}
	if _, err := two.Evaluate(heads(64, 2, 5, 8, 1, 1), targets, gains, 1, dBox, dClass); err == nil {
		t.Error("targets of other shapes are taken")
	}
}

func TestNaNIsNotHidden(t *testing.T) {
	h := heads(64, 1, 2, 8, 1, 1)
	h.Class[7] = float32(math.NaN())
	var l loss.Loss
	p, err := l.Compute(h, []loss.Truth{{0, 1, 4, 4, 60, 60}}, gains, 1, make([]float32, len(h.Box)), make([]float32, len(h.Class)))
	if err != nil || !math.IsNaN(gains.Total(p)) {
		t.Errorf("loss %+v, error %v: want a NaN", p, err)
	}
}

func TestBadInputIsRefused(t *testing.T) {
	good := heads(64, 2, 3, 8, 1, 1)
	short := good
	short.Class = short.Class[1:]
	box := loss.Truth{X0: 1, Y0: 1, X1: 9, Y1: 9}
	later := box
	later.Image = 1
	wrong := box
	wrong.Class = 3
	beyond := box
	beyond.Image = 2
	for name, c := range map[string]struct {
		h      loss.Heads
		truths []loss.Truth
	}{
		"logits missing": {short, nil},
		"out of order":   {good, []loss.Truth{later, box}},
		"no such class":  {good, []loss.Truth{wrong}},
		"no such image":  {good, []loss.Truth{beyond}},
	} {
		var l loss.Loss
		if _, err := l.Assign(c.h, c.truths); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestDecode(t *testing.T) {
	h := heads(32, 1, 1, 8, 0, 0) // equal logits: 3.5 strides to every side
	want := assign.Box{X0: 12 - 28, Y0: 4 - 28, X1: 12 + 28, Y1: 4 + 28}
	if got := loss.Decode(h, 0, 1, make([]float64, 8)); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// crowd is the shape of the quickstart: 16 pictures of 128 px, 5 classes, 8 objects each.
func crowd() (loss.Heads, []loss.Truth) {
	h := heads(128, 16, 5, 8, 1, 2)
	var truths []loss.Truth
	for n := range 16 {
		for j := range 8 {
			x, y := float32(14*j), float32((37*j+11*n)%96)
			truths = append(truths, loss.Truth{Image: n, Class: j % 5, X0: x, Y0: y, X1: x + 26, Y1: y + 30})
		}
	}
	return h, truths
}

func TestNoAllocationInSteadyState(t *testing.T) {
	h, truths := crowd()
	var l loss.Loss
	dBox, dClass := make([]float32, len(h.Box)), make([]float32, len(h.Class))
	step := func() {
		if _, err := l.Compute(h, truths, gains, 1, dBox, dClass); err != nil {
			t.Fatal(err)
		}
	}
	step()
	if n := testing.AllocsPerRun(3, step); n != 0 {
		t.Errorf("%v allocations a step", n)
	}
}

// TestThreads computes a loss of more logits than a piece of work on several threads: targets, parts and gradients have
// the bits of one.
func TestThreads(t *testing.T) {
	h := heads(256, 7, 20, 8, 1, 2)
	var truths []loss.Truth
	for n := range 7 {
		for j := range n { // none in the first
			x, y := float32(30*j), float32((37*j+11*n)%160)
			truths = append(truths, loss.Truth{Image: n, Class: j, X0: x, Y0: y, X1: x + 60, Y1: y + 50})
		}
	}
	for _, c := range []loss.Classes{{}, {Smoothing: 0.1, Gamma: 1.5}} {
		compute := func(threads int) (loss.Parts, []float32) {
			l := loss.Loss{Threads: threads, Classes: c}
			dBox, dClass := make([]float32, len(h.Box)), make([]float32, len(h.Class))
			p, err := l.Compute(h, truths, gains, 1, dBox, dClass)
			if err != nil {
				t.Fatal(err)
			}
			return p, append(dBox, dClass...)
		}
		want, gradient := compute(1)
		for _, threads := range []int{2, 3, 11} {
			if got, g := compute(threads); got != want || !slices.Equal(g, gradient) {
				t.Errorf("%+v, %d threads: %v, want %v; gradients equal: %v", c, threads, got, want, slices.Equal(g, gradient))
			}
		}
		if want.Box == 0 || want.DFL == 0 || want.Class == 0 {
			t.Errorf("nothing was assigned: %v", want)
		}
	}
}

func BenchmarkCompute(b *testing.B) {
	h, truths := crowd()
	var l loss.Loss
	dBox, dClass := make([]float32, len(h.Box)), make([]float32, len(h.Class))
	for b.Loop() {
		if _, err := l.Compute(h, truths, gains, 1, dBox, dClass); err != nil {
			b.Fatal(err)
		}
	}
}
