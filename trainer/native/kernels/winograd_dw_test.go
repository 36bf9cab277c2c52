package kernels_test

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// TestWeightGradientError compares both forms of the gradient of the weights, summed over many pixels, with float64: differences
// relative to the largest value. Winograd's may be four times the direct form's.
func TestWeightGradientError(t *testing.T) {
	var worst [2]float64
	for i, form := range []kernels.Form{kernels.Direct, kernels.Winograd} {
		b := shapedBench(t, shape{n: 8, ic: 16, oc: 16, h: 19, w: 22, k: 3, s: 1}, 4, false)
		b.spec.Form = form
		_, want, _, _ := b.backward(b.lx, b.lw, b.lgamma, b.lbeta, b.lda)
		b.conv(t).Backward()
		got, largest := make([]float32, len(want)), 0.0
		kernels.UnpackWeights(got, b.spec.DW, kernels.Row(b.oc), kernels.Row(b.ic), b.k)
		for k, w := range want {
			largest, worst[i] = max(largest, math.Abs(w)), max(worst[i], math.Abs(w-float64(got[k])))
		}
		worst[i] /= largest
	}
	t.Logf("largest error: direct %.2g, Winograd %.2g", worst[0], worst[1])
	if !(worst[0] < 2e-6 && worst[1] < 4*worst[0]) {
		t.Errorf("largest error: direct %.2g, Winograd %.2g", worst[0], worst[1])
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
