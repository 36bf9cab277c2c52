//go:build peers

package parity_test

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

var (
	rounds   = flag.Int("rounds", 7, "rounds of TestTrainStep; each times every contender once, in turn")
	steps    = flag.Int("steps", 5, "steps timed in a round")
	networks = flag.String("networks", "gelan-n,gelan-t,yolov9-t,gelan-s", "networks of TestTrainStep, separated by commas")
	sizes    = flag.String("sizes", "128,320", "image sizes of TestTrainStep, separated by commas")
	threads  = flag.String("threads", "1,2", "numbers of threads of TestTrainStep, separated by commas")
	peers    = flag.String("peers", "nchw,channels_last,compile,bf16", "contenders of PyTorch in TestTrainStep, by the names of testdata/torch/bench.py, separated by commas")
)

// The ways in which ours uses several threads.
const (
	together = "ours, one network on all threads"
	abreast  = "ours, a network a thread"
)

// contender is one of ours.
type contender struct {
	name string
	side []*trainee
}

// contenders are ours: each precision in both ways.
func contenders(t *testing.T, network string, size, threads int) (all []contender) {
	for _, bf16 := range []bool{false, true} {
		precision := ", FP32"
		if bf16 {
			precision = ", BF16"
		}
		all = append(all, contender{together + precision, []*trainee{newTrainee(t, network, size, threads, bf16)}})
		if threads == 1 {
			continue
		}
		c := contender{name: abreast + precision}
		for range threads {
			c.side = append(c.side, newTrainee(t, network, size, 1, bf16))
		}
		all = append(all, c)
	}
	return all
}

const (
	benchBatch   = 16
	benchClasses = 3
)

// TestTrainStep times training steps (forward, loss, backward, clipping, SGD) of the same network at batch 16, ours in FP32 and
// BF16 and PyTorch's, in turn, and prints images a second as medians over the rounds. With k threads ours is timed as one network on
// all of them, and as k networks of one thread side by side, as trials train. It fails only if something does not run.
func TestTrainStep(t *testing.T) {
	for _, network := range strings.Split(*networks, ",") {
		for _, size := range numbers(t, *sizes) {
			for _, k := range numbers(t, *threads) {
				t.Run(fmt.Sprintf("%s/%dpx/%d", network, size, k), func(t *testing.T) { trainStep(t, network, size, k) })
			}
		}
	}
}

func numbers(t *testing.T, list string) (out []int) {
	t.Helper()
	for _, s := range strings.Split(list, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("%q is no positive number", s)
		}
		out = append(out, n)
	}
	return out
}

func trainStep(t *testing.T, network string, size, k int) {
	peer := newPeer(t, network, size, k)
	ours := contenders(t, network, size, k)
	variants := strings.Split(*peers, ",")
	run := func(side []*trainee) float64 { // images a second
		start := time.Now()
		var wg sync.WaitGroup
		for _, o := range side {
			wg.Go(func() {
				for range *steps {
					o.step(t)
				}
			})
		}
		wg.Wait()
		return float64(len(side)**steps*benchBatch) / time.Since(start).Seconds()
	}
	for _, v := range variants {
		peer.seconds(t, v, 0) // make and warm up
	}
	for _, c := range ours {
		for _, o := range c.side {
			o.step(t)
		}
	}
	found := map[string][]float64{}
	for range *rounds {
		for _, c := range ours {
			found[c.name] = append(found[c.name], run(c.side))
		}
		for _, v := range variants {
			found[v] = append(found[v], benchBatch/peer.seconds(t, v, *steps))
		}
	}
	t.Logf("%s, %d px, batch %d, %d threads, %s, median of %d rounds of %d steps", network, size, benchBatch, k, kernels.ISA(), *rounds, *steps)
	var names []string
	for _, c := range ours {
		names = append(names, c.name)
	}
	t.Logf("  %-40s %10s   ratio to it of %s", "", "images/s", strings.Join(names, "; "))
	for _, name := range append(slices.Clone(names), variants...) {
		label := name
		if slices.Contains(variants, name) {
			label = "PyTorch " + name
		}
		line := fmt.Sprintf("  %-40s %10.1f  ", label, median(found[name]))
		for _, of := range names {
			line += fmt.Sprintf(" %6.2f", ratio(found[of], found[name]))
		}
		t.Log(line)
	}
	for _, name := range names {
		if !(median(found[name]) > 0) {
			t.Errorf("%s: %v images a second", name, found[name])
		}
	}
}

// ratio is the median of a/b, round by round.
func ratio(a, b []float64) float64 {
	all := make([]float64, len(a))
	for i := range all {
		all[i] = a[i] / b[i]
	}
	return median(all)
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// peer is a process of bench.py.
type peer struct {
	in  io.Writer
	out *bufio.Scanner
	err *strings.Builder
}

func newPeer(t *testing.T, network string, size, threads int) *peer {
	t.Helper()
	c := python(t, "bench.py", network, strconv.Itoa(size), strconv.Itoa(benchBatch), strconv.Itoa(benchClasses), strconv.Itoa(threads))
	c.Env = append(c.Env, fmt.Sprintf("OMP_NUM_THREADS=%d", threads))
	p := &peer{err: &strings.Builder{}}
	c.Stderr = p.err
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in, p.out = in, bufio.NewScanner(out)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := c.Wait(); err != nil {
			t.Errorf("bench.py: %v\n%s", err, p.err)
		}
	})
	return p
}

// seconds lets a variant run steps and returns the seconds of one.
func (p *peer) seconds(t *testing.T, variant string, steps int) float64 {
	t.Helper()
	if _, err := fmt.Fprintln(p.in, variant, steps); err != nil || !p.out.Scan() {
		t.Fatalf("bench.py gave no answer for %s (%v)", variant, err)
	}
	s, err := strconv.ParseFloat(p.out.Text(), 64)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// trainee is one network of ours with its optimiser.
type trainee struct {
	net      *model.Network
	sgd      optim.SGD
	momentum []float32
}

func newTrainee(t *testing.T, network string, size, threads int, bf16 bool) *trainee {
	t.Helper()
	var truths []loss.Truth
	for i := range benchBatch {
		for j := range 3 { // boxes of a quarter to a half of the side
			at, side := float32((i*7+j*5)%8)/16*float32(size), float32(4+j)/16*float32(size)
			truths = append(truths, loss.Truth{Image: i, Class: j % benchClasses, X0: at, Y0: at, X1: at + side, Y1: at + side})
		}
	}
	criterion := func(weight float64) layers.LossFunc {
		l := loss.Loss{Threads: threads}
		g := loss.Gains{Box: 7.5, Class: 0.5, DFL: 1.5}
		return func(h loss.Heads, dBox, dClass []float32) (float64, error) {
			p, err := l.Compute(h, truths, g, weight, dBox, dClass)
			return g.Total(p), err
		}
	}
	net, err := model.New(model.Config{Model: network, Classes: benchClasses, Width: size, Height: size, Batch: benchBatch, Seed: 1, Threads: threads, BF16: bf16,
		Loss: criterion(1), Aux: strings.HasPrefix(network, "yolov9"), AuxLoss: criterion(0.25)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := net.Close(); err != nil {
			t.Error(err)
		}
	})
	pix := make([]float32, benchBatch*size*size*3)
	for i := range pix {
		pix[i] = float32(i*7919%1009) / 1009
	}
	if err := net.SetImages(pix); err != nil {
		t.Fatal(err)
	}
	return &trainee{net: net, momentum: net.Alloc(len(net.Weights())),
		sgd: optim.SGD{Segments: optim.Segments(net.Params()), WeightDecay: 0.0005, ClipNorm: 10, Threads: threads}}
}

func (o *trainee) step(t *testing.T) {
	if _, err := o.net.Step(); err != nil {
		t.Error(err)
	}
	o.sgd.Step(o.net.Weights(), o.net.Grads(), o.momentum, optim.Rates{Weights: 0.001, Bias: 0.001, Momentum: 0.937})
}
