package model_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

var (
	profiled      = flag.String("networks", "gelan-t", "networks of BenchmarkProfile, separated by commas")
	profileSizes  = flag.String("sizes", "128", "image sizes of BenchmarkProfile, separated by commas")
	profileDirect = flag.Bool("direct", false, "BenchmarkProfile without Winograd's form")
	profileTop    = flag.Int("layers", 0, "how many single layers BenchmarkProfile lists, those that cost most first")
)

// BenchmarkProfile shows where the processor time of a training step goes (batch 16, three classes, the real loss, clipping and
// SGD; one thread): per kind of operation, forward and backward, the share of the step and, for convolutions, GFLOP/s. FLOP
// are those of the logical channels; a backward pass counts twice the forward one, the image's once. Each operation's time
// is the median over the steps.
//
//	go test ./trainer/native/model -run '^$' -bench Profile -benchtime 10x -networks gelan-t,yolov9-t -sizes 128,320 -layers 20
func BenchmarkProfile(b *testing.B) {
	for _, name := range strings.Split(*profiled, ",") {
		for _, s := range strings.Split(*profileSizes, ",") {
			size, err := strconv.Atoi(s)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) { profile(b, name, size) })
		}
	}
}

func profile(b *testing.B, name string, size int) {
	criterion := func(weight float64) layers.LossFunc {
		var l loss.Loss
		truths, g := profileTruths(16, size), loss.Gains{Box: 7.5, Class: 0.5, DFL: 1.5}
		return func(h loss.Heads, dBox, dClass []float32) (float64, error) {
			p, err := l.Compute(h, truths, g, weight, dBox, dClass)
			return g.Total(p), err
		}
	}
	cfg := model.Config{Model: name, Classes: 3, Width: size, Height: size, Batch: 16, Seed: 1,
		Direct: *profileDirect, Loss: criterion(1), Aux: strings.HasPrefix(name, "yolov9"), AuxLoss: criterion(0.25)}
	n := timedNetwork(b, cfg)
	sgd, momentum := optim.SGD{Segments: optim.Segments(n.Params()), WeightDecay: 0.0005, ClipNorm: 10}, n.Alloc(len(n.Weights()))
	times := map[graph.Step][]float64{}
	var optimiser []float64
	for i := 0; b.Loop(); i++ {
		timed, err := n.TimedStep()
		if err != nil {
			b.Fatal(err)
		}
		start := kernels.ThreadSeconds()
		sgd.Step(n.Weights(), n.Grads(), momentum, optim.Rates{Weights: 1e-4, Bias: 1e-4, Momentum: 0.937})
		optimiser = append(optimiser, kernels.ThreadSeconds()-start)
		for _, t := range timed {
			times[t.Step] = append(times[t.Step], t.Seconds)
		}
	}
	report(b, times, median(optimiser))
}

// profileTruths are three objects a picture, of a quarter to half of its side.
func profileTruths(batch, size int) (truths []loss.Truth) {
	for i := range batch {
		for j := range 3 {
			at, side := float32((i*7+j*5)%8)/16*float32(size), float32(4+j)/16*float32(size)
			truths = append(truths, loss.Truth{Image: i, Class: j, X0: at, Y0: at, X1: at + side, Y1: at + side})
		}
	}
	return truths
}

// cost is time in seconds and FLOP of some operations.
type cost struct {
	label         string
	seconds, flop float64
	count         int
}

func report(b *testing.B, times map[graph.Step][]float64, optimiser float64) {
	kinds, total := map[string]cost{}, cost{label: "step"}
	var single []cost
	add := func(label string, c cost) {
		k := kinds[label]
		kinds[label] = cost{label: label, seconds: k.seconds + c.seconds, flop: k.flop + c.flop, count: k.count + 1}
		total.seconds += c.seconds
		total.flop += c.flop
	}
	for s, t := range times {
		c := cost{label: describe(s), seconds: median(t), flop: flop(s)}
		single = append(single, c)
		add(kind(s), c)
	}
	add("optimiser", cost{seconds: optimiser})
	line := func(c cost) string {
		rate := ""
		if c.flop > 0 {
			rate = fmt.Sprintf("%8.1f GFLOP/s", c.flop/c.seconds/1e9)
		}
		return fmt.Sprintf("%-52s %8.2f ms %5.1f%% %s\n", c.label, c.seconds*1e3, 100*c.seconds/total.seconds, rate)
	}
	bySeconds := func(x, y cost) int { return cmp.Compare(y.seconds, x.seconds) }
	table := "\n" + line(total)
	for _, c := range slices.SortedFunc(maps.Values(kinds), bySeconds) {
		c.label = fmt.Sprintf("%s (%d)", c.label, c.count)
		table += line(c)
	}
	slices.SortFunc(single, bySeconds)
	for _, c := range single[:min(*profileTop, len(single))] {
		table += line(c)
	}
	b.Log(table)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(16/total.seconds, "images/s")
	b.ReportMetric(total.flop/total.seconds/1e9, "GFLOP/s")
}

// kind names what an operation does: for convolutions with kernel, stride and direction.
func kind(s graph.Step) string {
	name := s.Op.Kind()
	if c, ok := s.Op.(*layers.Conv); ok {
		name = fmt.Sprintf("%s %dx%d/%d", name, c.Kernel, c.Kernel, c.Stride)
		if c.In[0].Image {
			name += " image"
		}
	}
	if s.Backward {
		return name + " backward"
	}
	return name + " forward"
}

// describe names a single operation by its output, with channels and extent.
func describe(s graph.Step) string {
	out := s.Op.Output()
	if out == nil {
		return kind(s)
	}
	return fmt.Sprintf("%s %s %d->%d @%d", kind(s), out.Name, s.Op.Inputs()[0].C, out.C, out.W)
}

func flop(s graph.Step) float64 {
	c, ok := s.Op.(interface{ MultiplyAdds() int64 })
	if !ok {
		return 0
	}
	f := 2 * float64(c.MultiplyAdds()) * float64(s.Op.Inputs()[0].N)
	if s.Backward && !s.Op.Inputs()[0].Image {
		f *= 2
	}
	return f
}
