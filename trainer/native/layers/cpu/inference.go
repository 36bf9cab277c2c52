package cpu

import (
	"fmt"
	"slices"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/lifetime"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// Inference carries out a schedule: one arena for all activations, in which buffers follow each other.
type Inference struct {
	team    *kernels.Team
	arena   []float32
	memory  [][]float32
	floats  int
	rooms   map[*graph.Tensor]kernels.View // of owners
	begins  map[int][]kernels.View         // by step: buffers whose halo is cleared before it; -1: before the input
	weights *Weights
	room    kernels.Room // of convolutions in Winograd's form
	steps   []func(images int)
	convs   []*kernels.Fused
	heads   *Heads
	image   *graph.Tensor
}

// ArenaFloats is how many floats the activations of a schedule take.
func ArenaFloats(s *graph.Schedule) int { return lifetime.Arrange(spans(s), graph.Align) }

// spans are the lives of the buffers of a schedule.
func spans(s *graph.Schedule) (all []*lifetime.Life) {
	for _, b := range s.Buffers {
		all = append(all, &lifetime.Life{
			Buffer: lifetime.Buffer{T: b.Owner, What: lifetime.Activation}, Size: shape(b.Owner).Floats(), First: b.First, Last: b.Last,
		})
	}
	return all
}

// NewInference binds a schedule to memory of its own and to weights for its parameters. image is its input, and set has
// the outputs. It runs on so many threads, the one that calls Run included; results have the same bits for every number.
// Several may be bound to one schedule.
func NewInference(s *graph.Schedule, image *graph.Tensor, set *layers.HeadSet, w *Weights, threads int) (*Inference, error) {
	team, err := kernels.NewTeam(threads)
	if err != nil {
		return nil, err
	}
	d := &Inference{team: team, rooms: map[*graph.Tensor]kernels.View{}, begins: map[int][]kernels.View{}, weights: w, image: image}
	d.lay(s)
	for i, op := range s.Steps {
		run, err := d.bind(op)
		if err != nil {
			d.Close()
			return nil, fmt.Errorf("bind %s: %w", op.Kind(), err)
		}
		for _, v := range d.begins[i] {
			d.steps = append(d.steps, func(images int) { kernels.ZeroHalo(first(v, images)) })
		}
		if run != nil {
			d.steps = append(d.steps, run)
		}
	}
	d.heads = newHeads(set, d.alloc, d.view, nil)
	return d, nil
}

// lay allocates the arena, places the buffers in it, and finds those whose halo others write to: of the ones that 3x3
// convolutions read it is cleared when their turn begins.
func (d *Inference) lay(s *graph.Schedule) {
	padded := map[*graph.Tensor]bool{}
	for _, op := range s.Steps {
		if c, ok := op.(*layers.Fused); ok && c.Kernel == 3 {
			owner, _ := c.In[0].Data()
			padded[owner] = true
		}
	}
	all := spans(s)
	d.arena = d.alloc(lifetime.Arrange(all, graph.Align))
	for _, l := range all {
		v := shape(l.T).On(d.arena[l.At:][:l.Size])
		v.Team = d.team
		d.rooms[l.T] = v
		if padded[l.T] && slices.ContainsFunc(all, func(o *lifetime.Life) bool { return disturbs(l, o) }) {
			d.begins[l.First] = append(d.begins[l.First], v)
		}
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
	return d.rooms[owner].Part(block, t.Blocks())
}

// SetImages fills the front of the input: H*W*3 floats an image, by rows, RGB interleaved.
func (d *Inference) SetImages(pix []float32) {
	v := d.view(d.image)
	for _, dirty := range d.begins[-1] {
		kernels.ZeroHalo(first(dirty, len(pix)/(d.image.H*d.image.W*3)))
	}
	kernels.PackImages(pix, v)
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
func (d *Inference) Bytes() int64 { return 4 * int64(d.floats+d.room.Floats()) }

// Close releases threads and memory; that of the weights stays.
func (d *Inference) Close() {
	for _, c := range d.convs {
		c.Close()
	}
	d.room.Close()
	d.team.Close()
	for _, m := range d.memory {
		kernels.Free(m)
	}
	*d = Inference{}
}
