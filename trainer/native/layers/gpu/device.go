package gpu

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/cudnn"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/lifetime"
)

// Place is where a network runs: a device with the kernels loaded, a stream of its own, and memory to take.
type Place struct {
	GPU    *cuda.GPU
	Module *cuda.Module
	Stream *cuda.Stream
	Memory Memory // nil: the device's

	Ranks    *kernel.Ranks // that this is one of, with a share of each batch; nil: the only one
	SyncNorm bool          // normalise with the pixels of all ranks

	Slices int64 // bytes of slices of gradients that there may be at a time; 0 stands for 24 MiB
}

// over is who is normalised with.
func (p Place) over() *kernel.Ranks {
	if p.SyncNorm {
		return p.Ranks
	}
	return nil
}

// Memory is where device memory is taken from; it is zeroed.
type Memory interface {
	Alloc(bytes int64) (cuda.Ptr, error)
	Free(cuda.Ptr) error
}

// Count is a place without a device: what is arranged there comes to a number of bytes, and nothing can run.
func Count() (Place, *Counter) {
	c := &Counter{}
	return Place{Memory: c}, c
}

// Counter counts the bytes that are taken from it.
type Counter struct{ Bytes int64 }

// Alloc counts, in the units in which devices give memory out.
func (c *Counter) Alloc(bytes int64) (cuda.Ptr, error) {
	const unit = 512
	p := cuda.Ptr(unit + c.Bytes)
	c.Bytes += (bytes + unit - 1) / unit * unit
	return p, nil
}

// Free does nothing.
func (c *Counter) Free(cuda.Ptr) error { return nil }

// where names the place in errors.
func (p Place) where() string {
	if p.GPU == nil {
		return "no GPU"
	}
	return fmt.Sprintf("GPU %d", p.GPU.Index)
}

// Device holds the memory and the launches of one graph on a GPU. One goroutine at a time.
type Device struct {
	Place
	g     *graph.Graph
	typ   kernel.Type
	first *Device // whose parameters and memory this one uses, for other image sizes; nil: its own

	params      parameters
	arena       cuda.Ptr // of the buffers of a pass
	room        int      // its bytes
	at          map[lifetime.Buffer]int
	scratch     region
	beside      region                  // scratch of what runs beside the way back
	counters    cuda.Ptr                // of blocks that leave sums in scratch; zero between launches
	shares      shares                  // of it
	batch       map[graph.Op][]cuda.Ptr // statistics in use, by group or arm, and behind them sums of all ranks
	indices     map[*layers.MaxPool]cuda.Ptr
	heads       map[*layers.HeadSet]*Heads
	pixels      region // a batch as float RGB, from the host
	bound       map[graph.Step]*work
	memory      []cuda.Ptr // to give back
	loans       []region   // of a first device: what others may use as well
	lent        int        // of another: how many it has asked for
	bytes       int64
	sums        map[*layers.Add]residual
	late        map[graph.Op]bool               // layers that are activated in a sum
	inherits    map[*graph.Tensor]*graph.Tensor // whose gradients lie where those of sums do
	loss        map[*layers.HeadSet]*criterion  // of head sets whose loss is computed here
	truths      kernel.Truths
	lossScratch cuda.Ptr

	ways    map[kind]way // passes that cuDNN computes
	met     func(pass)   // nil, or is told of passes as they are bound
	plans   map[kind]*cudnn.Plan
	foreign map[bool]*foreign // by whether for what runs beside other work
	rounded region            // gradients of weights as cuDNN writes them in bf16
}

var _ graph.Device = (*Device)(nil)

// region is memory that several steps use in turn; it is as large as the largest need.
type region struct {
	p     cuda.Ptr
	bytes int64
}

// grain is the alignment of buffers, in bytes.
const grain = 256

// New arranges a graph on a device. Activations have type t. Where memory does not suffice the error wraps cuda.ErrMemory.
func New(g *graph.Graph, place Place, t kernel.Type) (*Device, error) {
	if place.Memory == nil {
		place.Memory = place.GPU
	}
	d := newDevice(g, place, t)
	if err := d.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("arrange network on %s: %w", place.where(), err), d.Close())
	}
	return d, nil
}

// Resized makes the device of g, the graph of the same network for smaller images, with d's parameters and in d's memory.
// Only one of the two is between the start and the end of a step at a time. Close it before d.
func (d *Device) Resized(g *graph.Graph) (*Device, error) {
	if d.first != nil {
		return d.first.Resized(g)
	}
	r := newDevice(g, d.Place, d.typ)
	r.first = d
	if err := r.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("arrange network for other images: %w", err), r.Close())
	}
	return r, nil
}

func newDevice(g *graph.Graph, place Place, t kernel.Type) *Device {
	sums, late := residuals(g)
	return &Device{
		Place: place, g: g, typ: t, sums: sums, late: late, inherits: inheritances(g),
		at:      map[lifetime.Buffer]int{},
		batch:   map[graph.Op][]cuda.Ptr{},
		indices: map[*layers.MaxPool]cuda.Ptr{},
		heads:   map[*layers.HeadSet]*Heads{},
		bound:   map[graph.Step]*work{},
		loss:    map[*layers.HeadSet]*criterion{},
		ways:    map[kind]way{},
		plans:   map[kind]*cudnn.Plan{},
		foreign: map[bool]*foreign{},
	}
}

func (d *Device) prepare() error {
	if err := d.arrange(); err != nil {
		return err
	}
	if err := d.plan(); err != nil {
		return err
	}
	return d.measure()
}

// Type is the type of activations.
func (d *Device) Type() kernel.Type { return d.typ }

// Bytes is the device memory held.
func (d *Device) Bytes() int64 { return d.bytes }

// take allocates zeroed device memory that lives until Close.
func (d *Device) take(bytes int64) (cuda.Ptr, error) {
	p, err := d.Memory.Alloc(bytes)
	if err != nil {
		return 0, err
	}
	d.memory = append(d.memory, p)
	d.bytes += bytes
	return p, nil
}

// lend is memory for what a pass alone needs, not zeroed: the first device's for the same purpose, where that is as large.
// Devices for other image sizes ask in the same order.
func (d *Device) lend(bytes int64) (cuda.Ptr, error) {
	if d.first == nil {
		p, err := d.take(bytes)
		d.loans = append(d.loans, region{p, bytes})
		return p, err
	}
	i := d.lent
	d.lent++
	if i < len(d.first.loans) && d.first.loans[i].bytes >= bytes {
		return d.first.loans[i].p, nil
	}
	return d.take(bytes)
}

// table is device memory with the given values, for kernels to read.
func table[T any](d *Device, values []T) (cuda.Ptr, error) {
	p, err := d.take(int64(len(values)) * int64(unsafe.Sizeof(*new(T))))
	if err != nil || d.Stream == nil {
		return p, err
	}
	return p, errors.Join(d.Stream.CopyIn(p, raw(values)), d.Stream.Wait())
}

// raw is the memory of a slice of plain values.
func raw[T any](v []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(*new(T))))
}

// Close gives all memory back. Work must be done.
func (d *Device) Close() error {
	var errs []error
	errs = append(errs, d.endCuDNN())
	for _, p := range d.memory {
		errs = append(errs, d.Memory.Free(p))
	}
	d.memory = nil
	return errors.Join(errs...)
}
