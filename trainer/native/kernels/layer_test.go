package kernels_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// The layers of the small detector on 16 images of 128x128, each shape once; size is the input's.
var layers = []struct {
	ic, oc, size, k, s int
	bn                 bool
}{
	{3, 16, 128, 3, 2, true},
	{16, 32, 64, 3, 2, true},
	{32, 64, 32, 3, 2, true},
	{64, 64, 16, 1, 1, true},
	{32, 32, 16, 3, 1, true},
	{128, 64, 16, 1, 1, true},
	{64, 96, 16, 3, 2, true},
	{96, 96, 8, 1, 1, true},
	{48, 48, 8, 3, 1, true},
	{192, 96, 8, 1, 1, true},
	{160, 64, 16, 1, 1, true},
	{64, 32, 16, 3, 1, true},
	{96, 32, 8, 3, 1, true},
	{32, 32, 16, 1, 1, false},
	{32, 5, 16, 1, 1, false},
}

// BenchmarkLayer times single layers, forward and backward, in processor time; FLOP counts multiply and add.
func BenchmarkLayer(b *testing.B) {
	for _, l := range layers {
		for _, back := range []bool{false, true} {
			pass := map[bool]string{false: "forward", true: "backward"}[back]
			b.Run(fmt.Sprintf("%d-%d_%d_k%ds%d/%s", l.ic, l.oc, l.size, l.k, l.s, pass), func(b *testing.B) {
				const n = 16
				out := (l.size-1)/l.s + 1
				spec := kernels.ConvSpec{K: l.k, S: l.s, IC: l.ic, OC: l.oc, Image: l.ic == 3, BN: l.bn, HasDX: l.ic != 3, Momentum: 0.03, Eps: 1e-3,
					Y: kernels.NewView(n, l.oc, out, out), A: kernels.NewView(n, l.oc, out, out), DA: kernels.NewView(n, l.oc, out, out)}
				defer kernels.FreeView(spec.Y)
				defer kernels.FreeView(spec.A)
				defer kernels.FreeView(spec.DA)
				if spec.Image {
					spec.X = kernels.NewImage(n, l.size, l.size)
				} else {
					spec.X, spec.DX = kernels.NewView(n, l.ic, l.size, l.size), kernels.NewView(n, l.ic, l.size, l.size)
					defer kernels.FreeView(spec.DX)
				}
				defer kernels.FreeView(spec.X)
				lanes := kernels.Blocks(l.oc) * kernels.Lanes
				for _, p := range []*[]float32{&spec.Gamma, &spec.Beta, &spec.DGamma, &spec.DBeta, &spec.Mean, &spec.Var} {
					*p = kernels.Alloc(lanes)
					defer kernels.Free(*p)
				}
				spec.W, spec.DW = kernels.Alloc(spec.WeightLen()), kernels.Alloc(spec.WeightLen())
				defer kernels.Free(spec.W)
				defer kernels.Free(spec.DW)
				logical := make([]float32, l.oc*l.ic*l.k*l.k)
				r := rand.New(rand.NewPCG(1, 1))
				for i := range logical {
					logical[i] = r.Float32() - 0.5
				}
				kernels.PackWeights(spec.W, logical, kernels.Row(l.oc), kernels.Row(l.ic), l.k)
				for i := range l.oc {
					spec.Gamma[i] = 1
				}
				for i := range spec.X.Buffer() {
					spec.X.Buffer()[i] = r.Float32() - 0.5 // speed only: halo and padding lanes need not be zero
				}
				conv, err := kernels.NewConv(spec)
				if err != nil {
					b.Fatal(err)
				}
				defer conv.Close()
				run, flop := func() { conv.Forward(true) }, 2*float64(n*l.ic*l.oc*l.k*l.k*out*out)
				if back {
					run()
					run = conv.Backward
					if spec.HasDX {
						flop *= 2
					}
				}
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				from, count := kernels.ThreadSeconds(), 0
				for b.Loop() {
					run()
					count++
				}
				per := (kernels.ThreadSeconds() - from) / float64(count)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(per*1e6, "us")
				b.ReportMetric(flop/per/1e9, "GFLOP/s")
			})
		}
	}
}
