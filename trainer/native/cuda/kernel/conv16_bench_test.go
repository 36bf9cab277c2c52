package kernel_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// way16 is one way to compute a bf16 convolution.
type way16 struct {
	name     string
	launches []cuda.Launch
}

// BenchmarkConv16GPU times layers of networks for 16 pictures of 128 and of 640 pixels, forward and both gradients. For each it
// reports what was chosen (without wgmma), in operations a second, and how much longer it takes than the fastest of all ways,
// those with wgmma included where the GPU has it, which the log lists: where that is far above 1, the estimates (tile16.clocks) are wrong for this GPU.
func BenchmarkConv16GPU(b *testing.B) {
	if !emulator.Real() {
		b.Skip("the emulator's speed says nothing: MAPSWEEP_TEST_GPU=1 takes the machine's GPU")
	}
	for _, s := range []shape16{
		{16, 32, 32, 16, 16, 3, 1}, {16, 8, 8, 96, 96, 3, 1}, {16, 320, 320, 16, 32, 3, 2}, {16, 80, 80, 64, 64, 3, 1},
		{16, 80, 80, 64, 64, 1, 1}, {16, 20, 20, 256, 256, 3, 1}, {16, 40, 40, 128, 128, 3, 1}, {16, 40, 40, 256, 256, 1, 1},
	} {
		k := kerneltest.New(b)
		p := newProblem16(k, kerneltest.Seed(s.String()), s)
		c := p.conv
		c.Partial = k.Alloc(int64(s.n*s.h*s.w) * int64(s.out)) // a tile has at least 8 pixels
		chosen := c
		chosen.Wgmma = false
		dW := k.Alloc(int64(len(p.w)) * 4)
		var forward, back, weights []way16
		for _, f := range kernel.ForwardForms16(c) {
			forward = append(forward, way16{f.Name, f.Forward(c)})
		}
		for _, f := range kernel.InputGradForms16(c) {
			back = append(back, way16{f.Name, f.InputGrad(c, p.dY, p.dX, false)})
		}
		for _, f := range kernel.WeightGradForms16(c, 8, 32, 128) {
			weights = append(weights, way16{f.Name, f.WeightGrad(c, p.dY, dW, k.Alloc(f.Scratch()))})
		}
		compare16(b, k, "product of "+s.String(), s, chosen.Forward(), forward)
		compare16(b, k, "gradient of the input of "+s.String(), s, chosen.InputGrad(p.dY, p.dX, false), back)
		compare16(b, k, "gradient of the weights of "+s.String(), s, chosen.WeightGrad(p.dY, dW, k.Alloc(chosen.ScratchBytes())), weights)
	}
}

func compare16(b *testing.B, k *kerneltest.Bench, what string, s shape16, chosen []cuda.Launch, ways []way16) {
	b.Run(what, func(b *testing.B) {
		var log strings.Builder // of one line: benchmarks cut longer ones
		best := seconds16(b, k, 20, chosen)
		for _, w := range ways {
			v := seconds16(b, k, 20, w.launches)
			best = min(best, v)
			fmt.Fprintf(&log, ", %s %.1f us", w.name, v*1e6)
		}
		b.ResetTimer()
		v := seconds16(b, k, b.N, chosen)
		_, pixels := s.pixels()
		b.ReportMetric(2*float64(pixels)*float64(s.in*s.out*s.kernel*s.kernel)/v/1e12, "TFLOP/s")
		b.ReportMetric(v/best, "of-best")
		b.Logf("%s%s", chosen[0].Kernel, log.String())
	})
}

// seconds16 is the time of launches, of n runs in a row on average.
func seconds16(b *testing.B, k *kerneltest.Bench, n int, launches []cuda.Launch) float64 {
	b.Helper()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	k.Run(launches...)
	from, err := k.GPU.NewEvent(true)
	must(err)
	to, err := k.GPU.NewEvent(true)
	must(err)
	graph, err := k.Stream.Capture(func() error { return k.Module.Run(k.Stream, launches...) })
	must(err)
	must(from.Record(k.Stream))
	for range n {
		must(graph.Launch(k.Stream))
	}
	must(to.Record(k.Stream))
	must(k.Stream.Wait())
	v, err := cuda.Seconds(from, to)
	must(err)
	for _, close := range []func() error{graph.Close, from.Close, to.Close} {
		must(close())
	}
	return v / float64(n)
}
