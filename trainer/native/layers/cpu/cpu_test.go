package cpu_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/cpu"
	"github.com/mapsweep/mapsweep/trainer/native/layers/layerstest"
)

// definition writes down a network and returns its image and loss.
type definition func(*graph.Builder) (*graph.Tensor, *layers.Loss)

// network is a built definition with deterministic weights and images.
type network struct {
	g     *graph.Graph
	d     *cpu.Device
	loss  *layers.Loss
	image *graph.Tensor
	pix   []float32
	step  graph.Program
}

func random(seed uint64) definition {
	return func(b *graph.Builder) (*graph.Tensor, *layers.Loss) { return layerstest.RandomNet(b, seed, 16, 16) }
}

// family is a random network of all layers, on an image whose extents depend on the seed.
func family(seed uint64) definition {
	return func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
		return layerstest.RandomFamilyNet(b, seed, 8+int(seed%7), 13-int(seed%6))
	}
}

// sharing is what shares memory.
type sharing int

const (
	all    sharing = iota // tensors that lie in others, and buffers of different times
	joined                // tensors that lie in others
	none
)

func build(t *testing.T, batch int, share sharing, define definition) *network {
	t.Helper()
	return buildOn(t, 1, batch, share, define)
}

// buildOn builds for so many threads, and lets prepare change the device before anything is bound.
func buildOn(t *testing.T, threads, batch int, share sharing, define definition, prepare ...func(*cpu.Device)) *network {
	t.Helper()
	b := graph.NewBuilder(batch)
	if share == none {
		b.Copies()
	}
	n := &network{}
	n.image, n.loss = define(b)
	var err error
	if n.g, err = b.Differentiate(n.loss); err != nil {
		t.Fatal(err)
	}
	device := cpu.New
	if share != all {
		device = cpu.Apart
	}
	n.d = device(n.g)
	if err := n.d.UseThreads(threads); err != nil {
		t.Fatal(err)
	}
	for _, p := range prepare {
		p(n.d)
	}
	t.Cleanup(func() {
		if err := n.d.Close(); err != nil {
			t.Error(err)
		}
	})
	if n.step, err = n.d.Compile(append(slices.Clone(n.g.Forward), n.g.Backward...)); err != nil {
		t.Fatal(err)
	}
	for i, p := range n.g.Params {
		v := make([]float32, p.Elements())
		for j := range v {
			v[j] = 0.3 * float32(math.Sin(float64(j*j%1009)+1.3*float64(j)+float64(i)))
			if p.Group == graph.Norm {
				v[j] += 1
			}
		}
		n.d.ImportParam(p, n.d.Weights(), v)
	}
	for _, s := range n.g.Stats {
		n.d.ImportStat(s, n.d.Stats(), slices.Repeat([]float32{s.Initial}, s.Channels))
	}
	n.pix = make([]float32, n.image.N*n.image.H*n.image.W*3)
	for i := range n.pix {
		n.pix[i] = float32(0.5 + 0.5*math.Sin(float64(i)*0.37+float64(i*i%977)))
	}
	n.d.SetImages(n.image, n.pix)
	return n
}

// run makes one training pass and returns the loss and a copy of the gradients.
func (n *network) run(t *testing.T) (float64, []float32) {
	t.Helper()
	p := graph.Pass{Train: true}
	if err := n.step.Run(&p); err != nil {
		t.Fatal(err)
	}
	return p.Loss, slices.Clone(n.d.Grads())
}

// soil writes nonsense into every tensor and gradient, lanes without a channel included, as an earlier pass could have
// left it.
func (n *network) soil() {
	for _, x := range n.g.Tensors {
		if x.Image {
			continue
		}
		lanes := x.Blocks() * graph.Block
		for _, v := range []kernels.View{n.d.View(x), n.d.GradView(x)} {
			for i := range x.N * lanes * x.H * x.W {
				v.Set(i/x.W/x.H/lanes, i/x.W/x.H%lanes, i/x.W%x.H, i%x.W, 1e3)
			}
		}
	}
	for _, p := range n.g.Params {
		n.d.ImportParam(p, n.d.Grads(), slices.Repeat([]float32{1e3}, p.Elements()))
	}
}

func (n *network) reference() *layerstest.Reference {
	r := layerstest.NewReference(n.g,
		func(p *graph.Param) []float32 { return n.d.ExportParam(p, n.d.Weights()) },
		func(s *graph.Stat) []float32 { return n.d.ExportStat(s, n.d.Stats()) })
	r.SetImages(n.image, n.pix)
	return r
}

// check holds loss and gradients against the reference.
func (n *network) check(t *testing.T, per int) {
	t.Helper()
	r := n.reference()
	want := func() (total float64) {
		for _, s := range n.loss.Sets {
			box, class := r.Heads(s)
			total += layerstest.SmoothLoss(1, box, class)
		}
		return total
	}
	got, _ := n.run(t)
	found := layerstest.CheckGradients(r, want, func(p *graph.Param) []float32 { return n.d.ExportParam(p, n.d.Grads()) }, per)
	if l := want(); math.Abs(got-l) > 1e-4*math.Abs(l) {
		t.Errorf("loss %.7f, reference %.7f", got, l)
	}
	worst := 0.0
	for _, f := range found {
		worst = math.Max(worst, f.Relative)
		if !(f.Relative < 1e-3) {
			t.Errorf("%s[%d]: gradient %g, reference %g", f.Param.Name, f.Element, f.Got, f.Want)
		}
	}
	t.Logf("%d elements of %d parameters, worst difference %.1e of the largest", len(found), len(n.g.Params), worst)
}

// same fails where two arenas differ in any bit.
func same(t *testing.T, what string, a, b []float32) {
	t.Helper()
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			t.Errorf("%s differ from float %d on: %g and %g", what, i, a[i], b[i])
			return
		}
	}
}

// head ends a definition in two head tensors of x.
func head(b *graph.Builder, image *graph.Tensor, xs ...*graph.Tensor) (*graph.Tensor, *layers.Loss) {
	set := &layers.HeadSet{Name: "head", Bins: 3, Classes: 5, Func: layerstest.Smooth(1)}
	for i, x := range xs {
		set.Box = append(set.Box, layers.HeadConv(b, fmt.Sprintf("box%d", i), x, 12))
		set.Class = append(set.Class, layers.HeadConv(b, fmt.Sprintf("class%d", i), x, 5))
		set.Strides = append(set.Strides, 2)
	}
	return image, layers.AddLoss(b, set)
}

// TestLayerGradients checks every layer by itself, in the settings in which planning treats it differently.
func TestLayerGradients(t *testing.T) {
	stem := func(b *graph.Builder, c, h, w int) (image, x *graph.Tensor) {
		image = b.Image("image", 3, h, w)
		return image, layers.ConvBNSiLU(b, "stem", image, c, 3, 2)
	}
	conv := func(b *graph.Builder, name string, x *graph.Tensor) *graph.Tensor {
		return layers.ConvBNSiLU(b, name, x, x.C, 3, 1)
	}
	tests := map[string]definition{
		"conv 1x1 and 3x3 in odd sizes": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 16, 14, 10)
			return head(b, i, layers.ConvBNSiLU(b, "b", layers.ConvBNSiLU(b, "a", x, 48, 1, 1), 32, 3, 1))
		},
		"conv with stride 2 from even and odd sizes": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 16, 20, 28)
			x = layers.ConvBNSiLU(b, "a", x, 32, 3, 2) // 10x14 -> 5x7
			return head(b, i, layers.ConvBNSiLU(b, "b", x, 32, 3, 2))
		},
		"image at stride 1": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i := b.Image("image", 3, 7, 9)
			return head(b, i, layers.ConvBNSiLU(b, "stem", i, 16, 3, 1))
		},
		"sum with a branch": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 32, 12, 12)
			return head(b, i, layers.Sum(b, "sum", x, conv(b, "a", x)))
		},
		"sum of one tensor twice": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 16, 12, 12)
			return head(b, i, layers.Sum(b, "sum", x, x))
		},
		"sum of inputs that others read later": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 16, 12, 12)
			y := conv(b, "a", x)
			s := layers.Sum(b, "sum", x, y)
			return head(b, i, s, conv(b, "b", y), x)
		},
		"split with an unread part": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 48, 12, 12)
			parts := layers.Split(b, x, 3)
			return head(b, i, conv(b, "a", parts[1]))
		},
		"part of a part, first half unread": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 64, 12, 12)
			inner := layers.Split(b, layers.Split(b, x, 2)[1], 2)
			return head(b, i, conv(b, "a", inner[1]))
		},
		"part and whole both read": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 32, 12, 12)
			parts := layers.Split(b, x, 2)
			return head(b, i, conv(b, "a", parts[0]), conv(b, "b", x))
		},
		"parts joined in order, reversed, and twice": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 32, 12, 12)
			p := layers.Split(b, x, 2)
			y := conv(b, "y", x)
			j := layers.Join(b, "j", y, p[0], p[1], p[1], p[0], x, y)
			return head(b, i, layers.ConvBNSiLU(b, "a", j, 16, 1, 1))
		},
		"one tensor in two joins": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 16, 12, 12)
			y := conv(b, "y", x)
			j := layers.Join(b, "j", x, y)
			k := layers.Join(b, "k", y, j)
			return head(b, i, conv(b, "a", j), conv(b, "b", k))
		},
		"doubled in odd sizes, read twice": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 16, 6, 10)
			return head(b, i, conv(b, "a", layers.Double(b, "d", x)), conv(b, "c", layers.Double(b, "e", x)))
		},
		"pool chain joined": func(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
			i, x := stem(b, 16, 14, 18)
			y := layers.Pool(b, "p", x)
			z := layers.Pool(b, "q", y)
			return head(b, i, layers.ConvBNSiLU(b, "a", layers.Join(b, "j", x, y, z), 32, 1, 1))
		},
	}
	layerCases(t, tests)
}

// layerCases checks each definition against the reference, in clean, soiled and copied buffers, on two images and one.
func layerCases(t *testing.T, tests map[string]definition) {
	t.Helper()
	for name, define := range tests {
		t.Run(name, func(t *testing.T) {
			n := build(t, 2, all, define)
			n.check(t, 3)
			_, first := n.run(t)
			n.soil()
			l, g := n.run(t)
			same(t, "gradients in clean and in soiled buffers", first, g)
			m := build(t, 2, none, define)
			if k, h := m.run(t); k != l {
				t.Errorf("loss %v with shared and %v with copied buffers", l, k)
			} else {
				same(t, "gradients with shared and with copied buffers", g, h)
			}
			tape(t, n, l, g)
			build(t, 1, all, define).check(t, 1)
		})
	}
}

// TestRandomNetworks holds shared against copied buffers and the static order against Gorgonia's TapeMachine, to the
// bit, and some networks against the reference.
func TestRandomNetworks(t *testing.T) {
	kinds := map[string]struct {
		define func(seed uint64) definition
		seeds  uint64
	}{"small": {random, 40}, "family": {family, 24}}
	for name, kind := range kinds {
		for seed := range kind.seeds {
			t.Run(fmt.Sprintf("%s %d", name, seed), func(t *testing.T) {
				batch := 2 - int(seed%5/4)
				n := build(t, batch, all, kind.define(seed))
				n.run(t) // the second pass finds used buffers
				l, g := n.run(t)
				for _, share := range []sharing{joined, none} {
					m := build(t, batch, share, kind.define(seed))
					k, h := m.run(t)
					if l != k {
						t.Errorf("loss %v with shared and %v with separate buffers (%d)", l, k, share)
					}
					same(t, "gradients with shared and with separate buffers", g, h)
					if share == joined {
						m.padding(t)
					}
				}
				if seed%4 == 1 {
					n.soil()
					_, h := n.run(t)
					same(t, "gradients in clean and in soiled buffers", g, h)
				}
				if seed%4 == 0 {
					tape(t, n, l, g)
				}
				if seed < 2 || name == "family" && seed < 5 {
					n.check(t, 1)
				}
			})
		}
	}
}

// TestPaddingGradients trains with shared memory, in which lanes without a channel have held something else: their parameters must
// still have no gradient.
func TestPaddingGradients(t *testing.T) {
	for _, set := range kernels.Supported() {
		restore, err := kernels.Force(set)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(6) {
			n := build(t, 2, all, family(seed))
			n.run(t)
			_, g := n.run(t)
			real := make([]float32, len(g))
			for _, p := range n.g.Params {
				n.d.ImportParam(p, real, n.d.ExportParam(p, g))
			}
			same(t, fmt.Sprintf("%s, network %d: gradients, and those of channels alone,", set, seed), g, real)
		}
		restore()
	}
}

// padding fails where a halo or a lane without a channel is not zero, in data or gradient.
func (n *network) padding(t *testing.T) {
	t.Helper()
	for _, x := range n.g.Tensors {
		if x.Image {
			continue
		}
		real := make([]bool, x.Blocks()*graph.Block)
		for _, lane := range x.Segments.Lanes() {
			real[lane] = true
		}
		for what, v := range map[string]kernels.View{"data": n.d.View(x), "gradient": n.d.GradView(x)} {
			for i := range x.N * len(real) * (x.H + 2) * (x.W + 2) {
				w, h := i%(x.W+2)-1, i/(x.W+2)%(x.H+2)-1
				lane, image := i/(x.W+2)/(x.H+2)%len(real), i/(x.W+2)/(x.H+2)/len(real)
				inside := w >= 0 && h >= 0 && w < x.W && h < x.H
				if f := v.At(image, lane, h, w); f != 0 && !(inside && real[lane]) {
					t.Fatalf("%s of %s, image %d lane %d pixel %d,%d is %v, want 0", what, x.Name, image, lane, h, w, f)
				}
			}
		}
	}
}

// tape runs the network in the TapeMachine and compares with the static order.
func tape(t *testing.T, n *network, loss float64, grads []float32) {
	t.Helper()
	m, err := graph.NewTape(n.g, n.d.Bind)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}()
	for range 2 {
		clear(n.d.Grads())
		p := graph.Pass{Train: true}
		if err := m.Run(&p); err != nil {
			t.Fatal(err)
		}
		if p.Loss != loss {
			t.Errorf("loss %v in the tape machine, %v in the static order", p.Loss, loss)
		}
		same(t, "gradients of tape machine and static order", n.d.Grads(), grads)
	}
}

// TestPadding looks for values outside of the logical elements, which must stay zero in weights and gradients.
func TestPadding(t *testing.T) {
	t.Run("small", func(t *testing.T) { parameters(t, build(t, 2, all, random(3))) })
	t.Run("family", func(t *testing.T) { parameters(t, build(t, 2, all, family(3))) })
}

func parameters(t *testing.T, n *network) {
	n.run(t)
	for _, p := range n.g.Params {
		v := n.d.ExportParam(p, n.d.Grads())
		a, b := 0.0, 0.0
		for _, x := range v {
			a += math.Abs(float64(x))
		}
		for _, x := range n.d.Grads()[p.Off : p.Off+p.Len] {
			b += math.Abs(float64(x))
		}
		if math.Abs(a-b) > 1e-9*a {
			t.Errorf("%s: gradients sum to %g, with padding to %g", p.Name, a, b)
		}
		if a == 0 {
			t.Errorf("%s: no gradient", p.Name)
		}
		n.d.ImportParam(p, n.d.Grads(), v)
		if !slices.Equal(v, n.d.ExportParam(p, n.d.Grads())) {
			t.Errorf("%s: import and export disagree", p.Name)
		}
	}
}
