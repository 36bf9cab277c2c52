package cpu

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// Weights are the parameters of a network of inference, which copies of it share. They are set once, before anything
// runs.
type Weights struct{ arena []float32 }

// NewWeights gives the parameters their places and allocates them; Close frees them.
func NewWeights(params []*graph.Param) *Weights { return &Weights{kernels.Alloc(arrange(params))} }

// arrange sets the places of the parameters in an arena and returns its length.
func arrange(params []*graph.Param) (floats int) {
	for _, p := range params {
		p.Off, p.Len = floats, layout{}.ParamFloats(p)
		floats += (p.Len + graph.Align - 1) / graph.Align * graph.Align
	}
	return floats
}

// Set sets the values of a parameter, in logical order.
func (w *Weights) Set(p *graph.Param, values []float32) { importParam(p, w.arena, values) }

// Close frees the parameters. No network that uses them may run any more.
func (w *Weights) Close() {
	if w.arena != nil {
		kernels.Free(w.arena)
		w.arena = nil
	}
}

// Bytes is the memory held.
func (w *Weights) Bytes() int64 { return 4 * int64(len(w.arena)) }

// Inference carries out a schedule: one arena for all activations, in which buffers follow each other.
type Inference struct {
	arena   []float32
	memory  [][]float32
	floats  int
	buffers map[*graph.Tensor]buffer
	weights []float32
	steps   []func(images int)
	heads   *Heads
	image   *graph.Tensor
}

// buffer is the place of an owner in the arena.
type buffer struct {
	graph.Buffer
	at, floats int
	dirty      bool // its halo must be zero, and the memory serves others too
}

// ArenaFloats is how many floats the activations of a schedule take.
func ArenaFloats(s *graph.Schedule) int {
	_, total := graph.Overlay(s.Buffers, sizes(s))
	return total
}

func sizes(s *graph.Schedule) (floats []int) {
	for _, b := range s.Buffers {
		floats = append(floats, shape(b.Owner).Floats())
	}
	return floats
}

// NewInference binds a schedule to memory of its own and to weights for its parameters. image is its input, and set has
// the outputs. Several may be bound to one schedule.
func NewInference(s *graph.Schedule, image *graph.Tensor, set *layers.HeadSet, w *Weights) (*Inference, error) {
	d := &Inference{buffers: map[*graph.Tensor]buffer{}, weights: w.arena, image: image}
	d.lay(s)
	for i, op := range s.Steps {
		run, err := d.bind(op)
		if err != nil {
			d.Close()
			return nil, fmt.Errorf("bind %s: %w", op.Kind(), err)
		}
		for _, b := range s.Buffers {
			if b.First == i && d.buffers[b.Owner].dirty {
				v := d.view(b.Owner)
				d.steps = append(d.steps, func(images int) { kernels.ClearHalo(v, images) })
			}
		}
		if run != nil {
			d.steps = append(d.steps, run)
		}
	}
	d.heads = newHeads(set, d.alloc, d.view, nil)
	return d, nil
}

// lay allocates the arena and places the buffers in it.
func (d *Inference) lay(s *graph.Schedule) {
	floats := sizes(s)
	offsets, total := graph.Overlay(s.Buffers, floats)
	d.arena = d.alloc(total)
	padded := map[*graph.Tensor]bool{} // owners that 3x3 convolutions read
	for _, op := range s.Steps {
		if c, ok := op.(*layers.Fused); ok && c.Kernel == 3 {
			owner, _ := c.In[0].Data()
			padded[owner] = true
		}
	}
	for i, b := range s.Buffers {
		x := buffer{Buffer: b, at: offsets[i], floats: floats[i]}
		for j := range s.Buffers {
			if i != j && padded[b.Owner] && offsets[i] < offsets[j]+floats[j] && offsets[j] < offsets[i]+floats[i] {
				x.dirty = true
			}
		}
		d.buffers[b.Owner] = x
	}
}

func (d *Inference) alloc(floats int) []float32 {
	m := kernels.Alloc(floats)
	d.memory = append(d.memory, m)
	d.floats += floats
	return m
}

// view is the window of t's channel blocks in the arena.
func (d *Inference) view(t *graph.Tensor) kernels.View {
	owner, block := t.Data()
	b := d.buffers[owner]
	return shape(owner).On(d.arena[b.at:][:b.floats]).Part(block, t.Blocks())
}

// SetImages fills the front of the input: H*W*3 floats an image, by rows, RGB interleaved.
func (d *Inference) SetImages(pix []float32) {
	v := d.view(d.image)
	one := d.image.H * d.image.W * 3
	images := len(pix) / one
	if d.buffers[d.image].dirty {
		kernels.ClearHalo(v, images)
	}
	for i := range images {
		kernels.PackImage(pix[i*one:(i+1)*one], v, i)
	}
}

// Run computes the outputs of the first images. They use up the input.
func (d *Inference) Run(images int) {
	for _, step := range d.steps {
		step(images)
	}
}

// Outputs gathers what the last Run made of the first images. It is overwritten by the next call.
func (d *Inference) Outputs(images int) loss.Heads { return d.heads.Collect(images) }

// Bytes is the memory held, without that of the weights.
func (d *Inference) Bytes() int64 { return 4 * int64(d.floats) }

// Close releases the memory; that of the weights stays.
func (d *Inference) Close() {
	for _, m := range d.memory {
		kernels.Free(m)
	}
	*d = Inference{}
}
