package gpu_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/gpu"
	"github.com/mapsweep/mapsweep/trainer/native/layers/layerstest"
)

// definition writes down a network and returns its image and loss.
type definition func(*graph.Builder) (*graph.Tensor, *layers.Loss)

// network is a built definition with deterministic weights and images.
type network struct {
	g     *graph.Graph
	d     *gpu.Device
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

func build(t *testing.T, place gpu.Place, typ kernel.Type, batch int, define definition, change ...func(*network)) *network {
	t.Helper()
	b := graph.NewBuilder(batch)
	n := &network{}
	n.image, n.loss = define(b)
	var err error
	if n.g, err = b.Differentiate(n.loss); err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(n)
	}
	if n.d, err = gpu.New(n.g, place, typ); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, n.d.Close()) })
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
	must(t, n.d.Upload())
	n.pix = make([]float32, n.image.N*n.image.H*n.image.W*3)
	for i := range n.pix {
		n.pix[i] = float32(0.5 + 0.5*math.Sin(float64(i)*0.37+float64(i*i%977)))
	}
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run makes one training pass; the gradients are then on the host.
func (n *network) run(t *testing.T) float64 {
	t.Helper()
	must(t, n.d.SetImages(n.image, n.pix))
	p := graph.Pass{Train: true}
	must(t, n.step.Run(&p))
	must(t, n.d.Download())
	return p.Loss
}

func (n *network) reference() *layerstest.Reference {
	r := layerstest.NewReference(n.g,
		func(p *graph.Param) []float32 { return n.d.ExportParam(p, n.d.Weights()) },
		func(s *graph.Stat) []float32 { return n.d.ExportStat(s, n.d.Stats()) })
	r.SetImages(n.image, n.pix)
	return r
}

// value is the loss of the reference.
func (n *network) value(r *layerstest.Reference) float64 {
	total := 0.0
	for _, set := range n.loss.Sets {
		box, class := r.Heads(set)
		total += layerstest.SmoothLoss(1, box, class)
	}
	return total
}

func place(t *testing.T) gpu.Place {
	b := kerneltest.New(t)
	return gpu.Place{GPU: b.GPU, Module: b.Module, Stream: b.Stream}
}

// TestNetworks holds random networks, of all layers there are, against the reference in float64: loss, gradients of
// parameters, running statistics. A second pass gives the same bits.
func TestNetworks(t *testing.T) {
	place := place(t)
	for seed := range uint64(6) {
		for name, define := range map[string]definition{"detector": random(seed), "family": family(seed), "groups": unequal} {
			if name == "groups" && seed > 0 {
				continue
			}
			t.Run(fmt.Sprintf("%s %d", name, seed), func(t *testing.T) {
				n := build(t, place, kernel.Float32, 2, define)
				r := n.reference()
				got := n.run(t)
				r.Run(0)
				if want := n.value(r); math.Abs(got-want) > 1e-4*math.Abs(want) {
					t.Errorf("loss %g, want %g", got, want)
				}
				grads := slices.Clone(n.d.Grads())
				for _, d := range layerstest.CheckGradients(r, func() float64 { return n.value(r) }, func(p *graph.Param) []float32 { return n.d.ExportParam(p, grads) }, 1) {
					if d.Relative > 2e-3 {
						t.Errorf("%s[%d]: gradient %g, want %g", d.Param.Name, d.Element, d.Got, d.Want)
					}
				}
				if again := n.run(t); again != got || !slices.Equal(grads, n.d.Grads()) {
					t.Errorf("a second pass gives loss %g after %g, or other gradients", again, got)
				}
			})
		}
	}
}

// TestCount: what a network takes is known before there is a device, and is what it then takes.
func TestCount(t *testing.T) {
	place := place(t)
	for _, typ := range kerneltest.Types {
		n := build(t, place, typ, 2, family(3))
		b := graph.NewBuilder(2)
		_, loss := family(3)(b)
		g, err := b.Differentiate(loss)
		must(t, err)
		nowhere, counter := gpu.Count()
		d, err := gpu.New(g, nowhere, typ)
		must(t, err)
		_, err = d.Compile(append(slices.Clone(g.Forward), g.Backward...))
		must(t, err)
		if d.Bytes() != n.d.Bytes() || counter.Bytes < d.Bytes() {
			t.Errorf("%v: %d bytes were counted for %d, and %d are taken", typ, counter.Bytes, d.Bytes(), n.d.Bytes())
		}
	}
}

// unequal has groups of one block and of two, on enough pixels for several slices.
func unequal(b *graph.Builder) (*graph.Tensor, *layers.Loss) {
	image := b.Image("image", 3, 40, 56)
	x := layers.Convolve(b, "stem", image, layers.Form{Channels: 32, Kernel: 3, Stride: 2, Segments: graph.Segments{24, 8}})
	x = layers.Convolve(b, "uneven", x, layers.Form{Channels: 64, Kernel: 3, Groups: 2, Segments: graph.Segments{24, 8, 32}})
	x = layers.Convolve(b, "even", x, layers.Form{Channels: 20, Kernel: 3, Groups: 4})
	set := &layers.HeadSet{
		Name: "head", Bins: 3, Classes: 2, Strides: []int{2}, Func: layerstest.Smooth(1),
		Box:   []*graph.Tensor{layers.Biased(b, "box", x, layers.Form{Channels: 12, Groups: 4})},
		Class: []*graph.Tensor{layers.HeadConv(b, "class", x, 2)},
	}
	return image, layers.AddLoss(b, set)
}
