package layers

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// Concat joins tensors of equal extent along the channels. Inputs are computed in place, inside the output, where
// that is possible; the others are copied.
type Concat struct {
	graph.Base
	First []int // first channel block of each input in the output

	// Copied lists the inputs whose data must be copied forward, and SendOf, for each of Sends, the input whose
	// gradient is copied back.
	Copied []int
	SendOf []int

	runs []run
}

// run is a tensor that could lie in the output as a whole: an input, or the parent whose parts are all inputs, in
// order and side by side.
type run struct {
	whole  *graph.Tensor
	inputs []int
}

// Kind returns "concat".
func (*Concat) Kind() string { return "concat" }

// Join adds a concatenation of xs.
func Join(b *graph.Builder, name string, xs ...*graph.Tensor) *graph.Tensor {
	if len(xs) == 0 {
		b.Fail(fmt.Errorf("concat %s: no inputs", name))
		return b.Tensor(name, graph.Block, 1, 1)
	}
	c := &Concat{Base: graph.Base{In: xs}}
	var segments graph.Segments
	for _, x := range xs {
		if x.H != xs[0].H || x.W != xs[0].W {
			b.Fail(fmt.Errorf("concat %s: %s has %d x %d pixels, %s %d x %d", name, x.Name, x.W, x.H, xs[0].Name, xs[0].W, xs[0].H))
		}
		if x.Image {
			b.Fail(fmt.Errorf("concat %s: reads the image", name))
		}
		c.First = append(c.First, segments.Blocks())
		segments = append(segments, x.Segments...)
	}
	c.Out = b.Segmented(name, segments, xs[0].H, xs[0].W)
	return b.Apply(c)
}

// Place puts every input that has no place elsewhere into the output.
func (c *Concat) Place(p *graph.Planner) {
	for i := 0; i < len(c.In); {
		r, ok := c.runAt(i)
		if !ok || !p.PlaceData(r.whole, c.Out, c.First[i]) {
			c.Copied = append(c.Copied, r.inputs...)
		}
		if ok {
			c.runs = append(c.runs, r)
		}
		i += len(r.inputs)
	}
}

// runAt finds the run that starts at input i; ok is false if it can lie nowhere as a whole: an incomplete set of
// parts, or a tensor that an earlier run holds already.
func (c *Concat) runAt(i int) (r run, ok bool) {
	r = run{whole: c.In[i], inputs: []int{i}}
	if parent, _, part := c.In[i].PartOf(); part {
		next := 0
		var parts []int
		for j := i; j < len(c.In); j++ {
			q, block, isPart := c.In[j].PartOf()
			if !isPart || q != parent || block != next {
				break
			}
			parts = append(parts, j)
			next += c.In[j].Blocks()
		}
		if next != parent.Blocks() {
			return r, false
		}
		r = run{whole: parent, inputs: parts}
	}
	for _, earlier := range c.runs {
		if earlier.whole == r.whole {
			return r, false
		}
	}
	return r, true
}

// Plan lets the gradient of an input lie inside the output's where nobody wrote to it yet, and copies it elsewhere.
func (c *Concat) Plan(p *graph.Planner) error {
	c.Gaps = p.Complete(c.Out)
	placed := make([]bool, len(c.In))
	for _, r := range c.runs {
		if p.PlaceGrad(r.whole, c.Out, c.First[r.inputs[0]]) {
			for _, i := range r.inputs {
				placed[i] = true
			}
		}
	}
	for i, x := range c.In {
		if !placed[i] {
			c.Sends = append(c.Sends, p.Contribute(x))
			c.SendOf = append(c.SendOf, i)
		}
	}
	return nil
}
