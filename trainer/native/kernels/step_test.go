package kernels_test

import (
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// net is a training step of 12 layers on 16 images of 128x128: two 3x3/2 convolutions, a block of four with a
// concatenation and a residual, another 3x3/2, another block, a last 3x3/2; loss mean(output^2); SGD. 5.22 GFLOP.
type net struct {
	free          []func()
	layers        []stepLayer
	w, g, m       []float32
	used          int
	out, dout     kernels.View
	flop, lossOut float64
}

type stepLayer struct {
	conv *kernels.Conv
	// residual: after Forward sum = plain + skip; before Backward dskip += dsum.
	plain, skip, sum, dsum, dskip *kernels.View
}

const netBatch = 16

func newNet(tb testing.TB) *net {
	const arena = 1 << 20
	s := &net{w: kernels.Alloc(arena), g: kernels.Alloc(arena), m: kernels.Alloc(arena)}
	r := rand.New(rand.NewPCG(1, 2))
	image := kernels.NewImage(netBatch, 128, 128)
	rgb := make([]float32, netBatch*128*128*3)
	for i := range rgb {
		rgb[i] = (r.Float32() - 0.5) * 3.46
	}
	kernels.PackImages(rgb, image)
	view := func(c, size int) kernels.View {
		v := kernels.NewView(netBatch, c, size, size)
		s.free = append(s.free, func() { kernels.FreeView(v) })
		return v
	}
	conv := func(x, dx, a, da kernels.View, k, stride int, img, acc bool) {
		c := kernels.ConvSpec{K: k, S: stride, IC: x.CB * 16, OC: a.CB * 16, Image: img, BN: true, HasDX: !img, AccDX: acc,
			X: x, DX: dx, Y: view(a.CB*16, a.H), A: a, DA: da, Momentum: 0.03, Eps: 1e-3}
		if img {
			c.IC = 3
		}
		take := func(n int) (w, g []float32) {
			w, g = s.w[s.used:s.used+n], s.g[s.used:s.used+n]
			s.used += n
			return w, g
		}
		c.W, c.DW = take(c.WeightLen())
		c.Gamma, c.DGamma = take(c.OC)
		c.Beta, c.DBeta = take(c.OC)
		c.Mean, c.Var = kernels.Alloc(c.OC), kernels.Alloc(c.OC)
		logical := make([]float32, c.OC*c.IC*k*k)
		for i := range logical {
			logical[i] = (r.Float32() - 0.5) * 3.46 / float32(math.Sqrt(float64(c.IC*k*k)))
		}
		kernels.PackWeights(c.W, logical, kernels.Row(c.OC), kernels.Row(c.IC), k)
		for i := range c.Gamma {
			c.Gamma[i] = 1
		}
		l, err := kernels.NewConv(c)
		if err != nil {
			tb.Fatal(err)
		}
		passes := 3.0
		if img {
			passes = 2
		}
		s.flop += 2 * passes * float64(netBatch*c.IC*c.OC*k*k*a.H*a.W)
		s.free = append(s.free, l.Close, func() { kernels.Free(c.Mean); kernels.Free(c.Var) })
		s.layers = append(s.layers, stepLayer{conv: l})
	}
	block := func(x, dx kernels.View, h int, out, dout kernels.View) { // h channel blocks of 16
		cat, dcat, plain := view(64*h, x.H), view(64*h, x.H), view(16*h, x.H)
		conv(x, dx, cat.Part(0, 2*h), dcat.Part(0, 2*h), 1, 1, false, false)
		conv(cat.Part(h, h), dcat.Part(h, h), cat.Part(2*h, h), dcat.Part(2*h, h), 3, 1, false, true)
		skip, sum, dskip, dsum := cat.Part(2*h, h), cat.Part(3*h, h), dcat.Part(2*h, h), dcat.Part(3*h, h)
		conv(skip, dskip, plain, dsum, 3, 1, false, true)
		l := &s.layers[len(s.layers)-1]
		l.plain, l.skip, l.sum, l.dskip, l.dsum = &plain, &skip, &sum, &dskip, &dsum
		conv(cat, dcat, out, dout, 1, 1, false, false)
	}
	a1, d1, a2, d2, a3, d3 := view(16, 64), view(16, 64), view(32, 32), view(32, 32), view(64, 32), view(64, 32)
	a4, d4, a5, d5 := view(128, 16), view(128, 16), view(128, 16), view(128, 16)
	s.out, s.dout = view(128, 8), view(128, 8)
	conv(image, kernels.View{}, a1, d1, 3, 2, true, false)
	conv(a1, d1, a2, d2, 3, 2, false, false)
	block(a2, d2, 1, a3, d3)
	conv(a3, d3, a4, d4, 3, 2, false, false)
	block(a4, d4, 2, a5, d5)
	conv(a5, d5, s.out, s.dout, 3, 2, false, false)
	s.free = append(s.free, func() { kernels.FreeView(image); kernels.Free(s.w); kernels.Free(s.g); kernels.Free(s.m) })
	return s
}

func (s *net) close() {
	for _, f := range s.free {
		f()
	}
}

func (s *net) forward() {
	for _, l := range s.layers {
		l.conv.Forward(true)
		if l.plain != nil {
			kernels.Add(*l.plain, *l.skip, *l.sum)
		}
	}
	// The halo is zero and so are its contributions to loss and gradient.
	sum, out, grad := 0.0, s.out.Buffer(), s.dout.Buffer()
	count := float32(s.out.N * s.out.CB * 16 * s.out.H * s.out.W)
	for i, a := range out {
		sum += float64(a) * float64(a)
		grad[i] = 2 * a / count
	}
	s.lossOut = sum / float64(count)
}

func (s *net) backward() {
	for i := len(s.layers) - 1; i >= 0; i-- {
		l := s.layers[i]
		if l.dskip != nil {
			kernels.Copy(*l.dsum, *l.dskip, true)
		}
		l.conv.Backward()
	}
}

func (s *net) step() {
	s.forward()
	s.backward()
	kernels.SGD(s.w[:s.used], s.g[:s.used], s.m[:s.used], kernels.Step{Rate: 0.01, Momentum: 0.937, Decay: 5e-4, GradScale: 1})
}

// The whole net's gradient along itself against a central difference: aliasing, concatenation and residual included.
func TestNetGradient(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		s := newNet(t)
		defer s.close()
		s.forward()
		s.backward()
		g := append([]float32(nil), s.g[:s.used]...)
		norm := kernels.SumSquares(g)
		step := 2e-3 / math.Sqrt(norm)
		at := func(e float64) float64 {
			w := append([]float32(nil), s.w[:s.used]...)
			for i := range g {
				s.w[i] += float32(e) * g[i]
			}
			s.forward()
			copy(s.w, w)
			return s.lossOut
		}
		if ratio := (at(step) - at(-step)) / (2 * step * norm); math.Abs(ratio-1) > 0.01 {
			t.Errorf("central difference over gradient is %.4f", ratio)
		}
		before := s.lossOut
		for range 4 {
			s.step()
		}
		if !(s.lossOut < before) {
			t.Errorf("loss %v after four steps, %v before", s.lossOut, before)
		}
	})
}

var peerMedian = regexp.MustCompile(`median ([0-9.]+) img/s`)

// BenchmarkStepPeer times the 12-layer step against the same step in another program, in turns, one thread each, by the
// thread's processor time. MAPSWEEP_PEER_STEP is the path of the peer's C source. The peer is run with the arguments
// "1 SECONDS" and prints "median X img/s". Metric: ratio, ours over the peer's median images per second.
func BenchmarkStepPeer(b *testing.B) {
	source := os.Getenv("MAPSWEEP_PEER_STEP")
	if source == "" {
		b.Skip("MAPSWEEP_PEER_STEP names no C source of a peer")
	}
	if kernels.ISA() != "avx512" {
		b.Skipf("the peer needs AVX-512, the kernels in use are %s", kernels.ISA())
	}
	peer := filepath.Join(b.TempDir(), "peer")
	if out, err := exec.Command("gcc", "-O3", "-march=native", "-o", peer, source, "-lm", "-lpthread").CombinedOutput(); err != nil {
		b.Fatalf("compile peer: %v\n%s", err, out)
	}
	const seconds = 1.0
	s := newNet(b)
	defer s.close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s.step()
	var ratios, ours, theirs []float64
	for b.Loop() {
		for range 5 {
			out, err := exec.Command(peer, "1", strconv.FormatFloat(seconds, 'f', 1, 64)).Output()
			match := peerMedian.FindSubmatch(out)
			if err != nil || match == nil {
				b.Fatalf("run peer: %v\n%s", err, out)
			}
			theirRate, _ := strconv.ParseFloat(string(match[1]), 64)
			var took []float64
			for start := time.Now(); time.Since(start).Seconds() < seconds; {
				from := kernels.ThreadSeconds()
				s.step()
				took = append(took, kernels.ThreadSeconds()-from)
			}
			ourRate := netBatch / median(took)
			ours, theirs, ratios = append(ours, ourRate), append(theirs, theirRate), append(ratios, ourRate/theirRate)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(ours), "img/s")
	b.ReportMetric(median(theirs), "peer-img/s")
	b.ReportMetric(s.flop*median(ours)/netBatch/1e9, "GFLOP/s")
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

// BenchmarkStep is the same step alone, on every instruction set.
func BenchmarkStep(b *testing.B) {
	for _, name := range kernels.Supported() {
		b.Run(name, func(b *testing.B) {
			restore, err := kernels.Force(name)
			if err != nil {
				b.Fatal(err)
			}
			defer restore()
			s := newNet(b)
			defer s.close()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			from, n := kernels.ThreadSeconds(), 0
			for b.Loop() {
				s.step()
				n++
			}
			perStep := (kernels.ThreadSeconds() - from) / float64(n)
			b.ReportMetric(netBatch/perStep, "img/s")
			b.ReportMetric(s.flop/perStep/1e9, "GFLOP/s")
		})
	}
}
