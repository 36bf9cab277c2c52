package kernels_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

var winogradSides = flag.String("sides", "4,8,10,16,20,32,40,80", "sides of the images of BenchmarkWinograd, separated by commas")

// winogradChannels are the channels of the 3x3 convolutions with stride 1 of gelan-t, gelan-s and larger models.
var winogradChannels = [][2]int{{8, 8}, {16, 16}, {24, 24}, {32, 32}, {48, 48}, {64, 64}, {96, 96}, {128, 128}, {32, 64}, {64, 32}, {256, 256}}

// BenchmarkWinograd times layers directly and in Winograd's form, in turn, by the processor time of one thread: batch 16,
// without normalisation, forward and backward with both gradients. The ratio is the median of direct/Winograd.
//
//	go test ./trainer/native/kernels -run '^$' -bench Winograd -benchtime 20x -sides 16,40
func BenchmarkWinograd(b *testing.B) {
	for _, side := range ints(b, *winogradSides) {
		for _, c := range winogradChannels {
			b.Run(fmt.Sprintf("%d-%d_%d", c[0], c[1], side), func(b *testing.B) { compareForms(b, c[0], c[1], side) })
		}
	}
}

func compareForms(b *testing.B, ic, oc, side int) {
	direct, release := plainLayer(b, ic, oc, side, kernels.Direct, true)
	defer release()
	winograd, release := plainLayer(b, ic, oc, side, kernels.Winograd, true)
	defer release()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	flop := 2 * 9 * float64(benchImages*ic*oc*side*side)
	most := max(1, int(2e8/flop)) // so that a measurement takes milliseconds
	time := func(run func()) float64 {
		from := kernels.ThreadSeconds()
		for range most {
			run()
		}
		return (kernels.ThreadSeconds() - from) / float64(most)
	}
	var there, back, rate []float64
	for range 2 { // the first round warms up
		there, back, rate = nil, nil, nil
		for range max(b.N, 5) {
			d, w := time(func() { direct.Forward(true) }), time(func() { winograd.Forward(true) })
			there, rate = append(there, d/w), append(rate, flop/w/1e9)
			d, w = time(direct.Backward), time(winograd.Backward)
			back = append(back, d/w)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(there), "forward-ratio")
	b.ReportMetric(median(back), "backward-ratio")
	b.ReportMetric(median(rate), "forward-GFLOP/s")
}

const benchImages = 16

// plainLayer is a convolution with bias on random numbers.
func plainLayer(b *testing.B, ic, oc, side int, form kernels.Form, hasDX bool) (*kernels.Conv, func()) {
	view := func(c int) kernels.View { return kernels.NewView(benchImages, c, side, side) }
	s := kernels.ConvSpec{K: 3, S: 1, IC: ic, OC: oc, HasDX: hasDX, Form: form, X: view(ic), DX: view(ic), Y: view(oc), DA: view(oc)}
	lanes := kernels.Blocks(oc) * kernels.Lanes
	s.Beta, s.DBeta, s.W, s.DW = kernels.Alloc(lanes), kernels.Alloc(lanes), kernels.Alloc(s.WeightLen()), kernels.Alloc(s.WeightLen())
	r := rand.New(rand.NewPCG(1, 1))
	logical := make([]float32, oc*ic*9)
	for i := range logical {
		logical[i] = r.Float32() - 0.5
	}
	kernels.PackWeights(s.W, logical, kernels.Row(oc), kernels.Row(ic), 3)
	for _, v := range []kernels.View{s.X, s.DA} {
		for i := range v.Buffer() {
			v.Buffer()[i] = r.Float32() - 0.5 // speed only: halo and padding lanes need not be zero
		}
	}
	k, err := kernels.NewConv(s)
	if err != nil {
		b.Fatal(err)
	}
	return k, func() {
		k.Close()
		for _, v := range []kernels.View{s.X, s.DX, s.Y, s.DA} {
			kernels.FreeView(v)
		}
		for _, m := range [][]float32{s.Beta, s.DBeta, s.W, s.DW} {
			kernels.Free(m)
		}
	}
}

func ints(b *testing.B, list string) (all []int) {
	for _, s := range strings.Split(list, ",") {
		n, err := strconv.Atoi(s)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}
