package kernel_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// BenchmarkLossGPU is the loss of 16 pictures of 640 pixels with 80 classes and up to 20 objects each, in parts, and the search for
// what was detected in them; each part is a captured graph that is launched often. Compare with a training step's time.
func BenchmarkLossGPU(b *testing.B) {
	if !emulator.Real() {
		b.Skip("the emulator's speed says nothing: MAPSWEEP_TEST_GPU=1 takes the machine's GPU")
	}
	const size, images, classes, bins = 640, 16, 80, 16
	r := kerneltest.Seed("bench")
	truths := objects(r, size, images, classes, 20)
	c := lossCase{heads: aimed(r, size, images, classes, bins, truths), truths: truths, weight: 1}
	for i := range c.heads.Class {
		c.heads.Class[i] -= 6
	}
	g := putLoss(b, kerneltest.New(b), c, 4096)
	s := kernel.NMS{Heads: g.l.Heads, Size: size, Options: evaluate.DefaultNMS, Capacity: 1 << 15}
	s.Found, s.Scratch = g.b.Alloc(s.FoundBytes()), g.b.Alloc(s.ScratchBytes())
	g.b.Run(g.l.Assign()...)
	for _, part := range []struct {
		name     string
		launches []cuda.Launch
	}{{"assign", g.l.Assign()}, {"classes", g.l.Evaluate()[:1]}, {"boxes", g.l.Evaluate()[1:2]}, {"parts", g.l.Evaluate()[2:]}, {"detect", s.Launches()}} {
		b.Run(part.name, func(b *testing.B) {
			graph, err := g.b.Stream.Capture(func() error { return g.b.Module.Run(g.b.Stream, part.launches...) })
			if err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			for range b.N {
				if err := graph.Launch(g.b.Stream); err != nil {
					b.Fatal(err)
				}
			}
			if err := g.b.Stream.Wait(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(1e6*b.Elapsed().Seconds()/float64(b.N), "us/step")
			if err := graph.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
