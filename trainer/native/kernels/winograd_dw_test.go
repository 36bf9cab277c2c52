package kernels_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// Against the reference in float64, the root of the mean square of the errors of the gradient of the weights, summed over many
// pixels, is at most 1.5 times the direct form's.
func TestWeightGradientError(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, c := range []shape{{n: 8, ic: 16, oc: 16, h: 19, w: 22}, {n: 4, ic: 32, oc: 16, h: 20, w: 20}, {n: 16, ic: 24, oc: 40, h: 5, w: 5}} {
			c.k, c.s = 3, 1
			var err [2]float64
			for j, form := range []kernels.Form{kernels.Direct, kernels.Winograd} {
				b := shapedBench(t, c, uint64(50+i), false)
				b.spec.Form = form
				_, want, _, _ := b.backward(b.lx, b.lw, b.lgamma, b.lbeta, b.lda)
				k := b.conv(t)
				k.Forward(true)
				k.Backward()
				got := make([]float32, len(want))
				kernels.UnpackWeights(got, b.spec.DW, kernels.Row(b.oc), kernels.Row(b.ic), b.k)
				err[j] = distance(wide(got), want)
			}
			t.Logf("%v: error of dw %.2e direct, %.2e Winograd", c, err[0], err[1])
			if !(err[1] < 1.5*err[0]) || err[0] == err[1] {
				t.Errorf("%v: error of dw %.2e directly and %.2e in Winograd's form", c, err[0], err[1])
			}
		}
	})
}

// Which gradients gain is a matter of the layer's shape: of full tiles in the image and of lanes in use.
func TestAutoGradient(t *testing.T) {
	for _, c := range []struct {
		shape
		winograd bool
	}{
		{shape{n: 2, ic: 8, oc: 8, h: 3, w: 3}, false},
		{shape{n: 2, ic: 16, oc: 16, h: 5, w: 5}, false},
		{shape{n: 2, ic: 32, oc: 32, h: 5, w: 5}, true},
		{shape{n: 2, ic: 8, oc: 8, h: 6, w: 4}, true},
		{shape{n: 2, ic: 16, oc: 24, h: 6, w: 8}, true},
	} {
		c.k, c.s = 3, 1
		var dw [3][]float32
		for form := range dw {
			b := shapedBench(t, c.shape, 71, false)
			b.spec.Form, b.spec.HasDX = kernels.Form(form), false
			b.conv(t).Backward()
			dw[form] = b.spec.DW
		}
		if c.winograd == slices.Equal(dw[kernels.Auto], dw[kernels.Direct]) || c.winograd != slices.Equal(dw[kernels.Auto], dw[kernels.Winograd]) {
			t.Errorf("%v: want Winograd's form %t", c.shape, c.winograd)
		}
	}
}

// BenchmarkWeightGradient times the gradient of the weights of single layers, with the sums of a bias and nothing else, in
// both forms in turn by the thread's processor time. The ratio is the median of direct/Winograd.
//
//	go test ./trainer/native/kernels -run '^$' -bench WeightGradient -benchtime 40x -sides 16,40
func BenchmarkWeightGradient(b *testing.B) {
	for _, side := range ints(b, *winogradSides) {
		for _, c := range winogradChannels {
			b.Run(fmt.Sprintf("%d-%d_%d", c[0], c[1], side), func(b *testing.B) { compareGradients(b, c[0], c[1], side) })
		}
	}
}

func compareGradients(b *testing.B, ic, oc, side int) {
	var forms [2]*kernels.Conv
	for i, f := range []kernels.Form{kernels.Direct, kernels.Winograd} {
		var release func()
		forms[i], release = plainLayer(b, ic, oc, side, f, false)
		defer release()
		forms[i].Backward()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var ratios, direct []float64
	for b.Loop() {
		var took [2]float64
		for i, f := range forms {
			from := kernels.ThreadSeconds()
			f.Backward()
			took[i] = kernels.ThreadSeconds() - from
		}
		direct, ratios = append(direct, took[0]), append(ratios, took[0]/took[1])
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(2*9*float64(benchImages*ic*oc*side*side)/median(direct)/1e9, "direct-GFLOP/s")
}
