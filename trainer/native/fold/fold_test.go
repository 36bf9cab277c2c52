package fold_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/fold"
)

// random fills the tensors of a normalised convolution, with statistics far from 0 and 1.
func random(r *rand.Rand, to map[string][]float32, names [5]string, out, fan int) {
	for i, n := range names {
		size := out
		if i == 0 {
			size *= fan
		}
		v := make([]float32, size)
		for k := range v {
			v[k] = float32(r.NormFloat64())
			if i == 4 {
				v[k] = float32(0.01 + 4*r.Float64())
			}
		}
		to[n] = v
	}
}

func torch(name string) [5]string {
	return [5]string{name + ".conv.weight", name + ".bn.weight", name + ".bn.bias", name + ".bn.running_mean", name + ".bn.running_var"}
}

// conv is the 3x3 convolution (kernel 3) or 1x1 convolution of the 3x3 patch x [in][9] at its middle, for output o.
func conv(w []float32, x []float64, o, in, kernel int) (sum float64) {
	for i := range in {
		if kernel == 1 {
			sum += float64(w[o*in+i]) * x[9*i+4]
			continue
		}
		for p := range 9 {
			sum += float64(w[(o*in+i)*9+p]) * x[9*i+p]
		}
	}
	return sum
}

func normalise(v map[string][]float32, n [5]string, o int, y float64) float64 {
	return float64(v[n[1]][o])*(y-float64(v[n[3]][o]))/math.Sqrt(float64(v[n[4]][o])+1e-3) + float64(v[n[2]][o])
}

func TestFold(t *testing.T) {
	const in, out = 5, 7
	r := rand.New(rand.NewPCG(1, 2))
	named := map[string][]float32{}
	label := [5]string{"a.weight", "a.gamma", "a.beta", "a.mean", "a.var"}
	wide, point := torch("m.conv1"), torch("m.conv2")
	random(r, named, label, out, 9*in)
	random(r, named, wide, out, 9*in)
	random(r, named, point, out, in)
	x := make([]float64, 9*in)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	labelled, err := fold.Tensors{Named: named, Labels: true}.Normalised("a", out, 9*in)
	if err != nil {
		t.Fatal(err)
	}
	one, err := fold.Tensors{Named: named}.Normalised("m.conv2", out, in)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := fold.Tensors{Named: named}.Rep("m", out, in)
	if err != nil {
		t.Fatal(err)
	}
	for o := range out {
		p := normalise(named, point, o, conv(named[point[0]], x, o, in, 1))
		for _, c := range []struct {
			name      string
			got, want float64
		}{
			{"labels", conv(labelled.Weights, x, o, in, 3) + float64(labelled.Bias[o]), normalise(named, label, o, conv(named[label[0]], x, o, in, 3))},
			{"1x1", conv(one.Weights, x, o, in, 1) + float64(one.Bias[o]), p},
			{"rep", conv(rep.Weights, x, o, in, 3) + float64(rep.Bias[o]), p + normalise(named, wide, o, conv(named[wide[0]], x, o, in, 3))},
		} {
			if d := math.Abs(c.got - c.want); !(d < 1e-5) {
				t.Errorf("%s, output %d: %g, want %g", c.name, o, c.got, c.want)
			}
		}
	}
}

func TestFaults(t *testing.T) {
	named := map[string][]float32{"h.weight": make([]float32, 6), "h.bias": make([]float32, 2)}
	random(rand.New(rand.NewPCG(1, 2)), named, torch("c"), 2, 3)
	v := fold.Tensors{Named: named}
	if c, err := v.Biased("h", 2, 3); err != nil || len(c.Weights) != 6 || len(c.Bias) != 2 {
		t.Errorf("%v, %v", c, err)
	}
	for name, err := range map[string]error{
		"name":   second(v.Normalised("d", 2, 3)),
		"size":   second(v.Normalised("c", 3, 3)),
		"arm":    second(v.Rep("c", 2, 3)),
		"bias":   second(v.Biased("h", 3, 2)),
		"labels": second(fold.Tensors{Named: named, Labels: true}.Normalised("c", 2, 3)),
	} {
		if !errors.Is(err, fold.ErrMissing) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ fold.Conv, err error) error { return err }
