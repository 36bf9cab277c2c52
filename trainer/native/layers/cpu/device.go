package cpu

import (
	"fmt"
	"slices"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/lifetime"
)

// Device holds the memory and the kernels of one graph.
type Device struct {
	g                     *graph.Graph
	weights, grads, stats []float32
	groups                [graph.Groups]graph.Extent
	rooms                 map[lifetime.Buffer]kernels.View
	begins                map[graph.Step][]kernels.View // buffers that begin with a step, whose halos others have used
	memory                [][]float32                   // of parameters and activations, in order of allocation
	extra                 [][]float32                   // of the rest
	convs                 map[*layers.Conv][]*kernels.Conv
	reps                  map[*layers.Rep]*kernels.Rep
	pools                 map[*layers.MaxPool][]byte
	losses                map[*layers.Loss]*lossState
	heads                 map[*layers.HeadSet]*Heads
	bound                 map[graph.Step]graph.Kernel
	fronts                map[int]*Device // by the number of images that their kernels look at; memory is this one's
	images                int             // of such a one; 0: all
	whole                 *Device         // of such a one: the device of all images
	floats                int
	team                  *kernels.Team
	scratch               [2]kernels.Room // see operands
	bf16                  bool
	direct                bool
	sizes
}

var _ graph.Device = (*Device)(nil)

// New arranges the parameters of a graph and plans and allocates all memory of a pass.
func New(g *graph.Graph) *Device {
	d := apart(g, nil)
	d.plan()
	return d
}

// Apart makes a device whose buffers share no memory, so that everything of a pass can be looked at after it. Results are
// the same to the bit.
func Apart(g *graph.Graph) *Device { return apart(g, nil) }

func apart(g *graph.Graph, first *Device) *Device {
	d := newDevice(g)
	d.first = first
	groups, params, stats := g.Arrange(layout{})
	d.groups = groups
	d.weights, d.grads, d.stats = d.lend(params), d.lend(params), d.lend(stats)
	return d
}

func newDevice(g *graph.Graph) *Device {
	return &Device{
		g:      g,
		rooms:  map[lifetime.Buffer]kernels.View{},
		begins: map[graph.Step][]kernels.View{},
		convs:  map[*layers.Conv][]*kernels.Conv{},
		reps:   map[*layers.Rep]*kernels.Rep{},
		pools:  map[*layers.MaxPool][]byte{},
		losses: map[*layers.Loss]*lossState{},
		heads:  map[*layers.HeadSet]*Heads{},
		bound:  map[graph.Step]graph.Kernel{},
		fronts: map[int]*Device{},
	}
}

// UseThreads makes programs run on so many threads, the one that calls Run included; results have the same bits for every
// number. It comes before the first View, Bind and Compile. The others start now, sleep while no program runs, and end with Close.
func (d *Device) UseThreads(threads int) error {
	team, err := kernels.NewTeam(threads)
	d.team = team
	for _, vs := range d.begins {
		join(vs, team)
	}
	join(d.steady, team)
	return err
}

// Threads is the number of threads that programs run on.
func (d *Device) Threads() int { return d.team.Threads() }

// UseBF16 makes normalised convolutions of anything but the image multiply bfloat16 in training, where they are bound from
// now on. Outside of training, and in all other layers, nothing changes.
func (d *Device) UseBF16() { d.bf16 = true }

// UseDirect makes convolutions that are bound from now on do without Winograd's form.
func (d *Device) UseDirect() { d.direct = true }

// form is how 3x3 convolutions with stride 1 are computed.
func (d *Device) form() kernels.Form {
	if d.direct {
		return kernels.Direct
	}
	return kernels.Auto
}

// Weights is the arena of parameters.
func (d *Device) Weights() []float32 { return d.weights }

// Grads is the arena of gradients, arranged as Weights.
func (d *Device) Grads() []float32 { return d.grads }

// Stats is the arena of running statistics.
func (d *Device) Stats() []float32 { return d.stats }

// Groups returns the extents of the parameter groups in the arenas.
func (d *Device) Groups() [graph.Groups]graph.Extent { return d.groups }

// Bytes is the memory held, scratch of the kernels that are bound included.
func (d *Device) Bytes() int64 {
	n := d.floats + d.scratch[0].Floats() + d.scratch[1].Floats() + d.ofLayers()
	for _, f := range d.fronts {
		n += f.floats + f.ofLayers()
	}
	return 4 * int64(n)
}

// ofLayers is how many floats the kernels hold by themselves.
func (d *Device) ofLayers() (n int) {
	for _, cs := range d.convs {
		for _, c := range cs {
			n += c.Floats()
		}
	}
	for _, r := range d.reps {
		n += r.Floats()
	}
	return n
}

// Alloc returns zeroed memory for the caller's own use that lives until Close. It panics where memory is exhausted, as
// make does.
func (d *Device) Alloc(floats int) []float32 {
	m := kernels.Alloc(floats)
	d.extra = append(d.extra, m)
	d.floats += floats
	return m
}

// Close releases kernels, threads and memory.
func (d *Device) Close() error {
	for _, f := range d.fronts {
		f.release()
	}
	d.release()
	if d.first == nil {
		d.team.Close()
	}
	*d = Device{}
	return nil
}

// release frees the kernels and the memory that are this device's own.
func (d *Device) release() {
	for _, cs := range d.convs {
		for _, c := range cs {
			c.Close()
		}
	}
	for _, r := range d.reps {
		r.Close()
	}
	for _, m := range slices.Concat(d.memory, d.extra) {
		kernels.Free(m)
	}
	for i := range d.scratch {
		d.scratch[i].Close()
	}
}

// Bind returns the kernel of a step; the same one at each call. It is nil where nothing is to be done.
func (d *Device) Bind(s graph.Step) (graph.Kernel, error) {
	if k, ok := d.bound[s]; ok {
		return k, nil
	}
	k, err := d.bind(s)
	if err != nil {
		return nil, fmt.Errorf("bind %s: %w", s.Op.Kind(), err)
	}
	k = begin(d.begins[s], k)
	d.bound[s] = k
	return k, nil
}

func (d *Device) bind(s graph.Step) (graph.Kernel, error) {
	switch op := s.Op.(type) {
	case *layers.Conv:
		return d.conv(op, s.Backward)
	case *layers.Rep:
		return d.rep(op, s.Backward)
	case *layers.Concat:
		return d.concat(op, s.Backward), nil
	case *layers.Part:
		return d.part(op, s.Backward), nil
	case *layers.Add:
		return d.add(op, s.Backward), nil
	case *layers.Upsample:
		return d.upsample(op, s.Backward), nil
	case *layers.MaxPool:
		return d.maxPool(op, s.Backward), nil
	case *layers.AvgPool:
		return d.avgPool(op, s.Backward), nil
	case *layers.Fuse:
		return d.fuse(op, s.Backward), nil
	case *layers.Regroup:
		return d.regroup(op, s.Backward), nil
	case *layers.Loss:
		return d.loss(op, s.Backward), nil
	}
	return nil, fmt.Errorf("no kernel for %T", s.Op)
}

// Compile binds the steps and joins them into a program that runs them one after the other.
func (d *Device) Compile(steps []graph.Step) (graph.Program, error) {
	var p program
	for _, s := range steps {
		k, err := d.Bind(s)
		if err != nil {
			return nil, err
		}
		if k != nil {
			p = append(p, k)
		}
	}
	return p, nil
}

type program []graph.Kernel

func (p program) Run(pass *graph.Pass) error {
	for _, k := range p {
		if err := k.Run(pass); err != nil {
			return err
		}
	}
	return nil
}
