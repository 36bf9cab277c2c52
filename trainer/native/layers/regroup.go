package layers

import "github.com/mapsweep/mapsweep/trainer/native/graph"

// Regroup stores the same channels in other segments. Layers add it by themselves where stored forms do not fit; a
// definition avoids the copy by giving the convolution before it the right segments at once.
type Regroup struct{ graph.Base }

// Kind returns "regroup".
func (*Regroup) Kind() string { return "regroup" }

// as returns x, stored in the given segments.
func as(b *graph.Builder, x *graph.Tensor, s graph.Segments) *graph.Tensor {
	if x.Image || b.Failed() || x.Segments.Same(s) {
		return x
	}
	return b.Apply(&Regroup{graph.Base{In: []*graph.Tensor{x}, Out: b.Segmented(x.Name+".regrouped", s, x.H, x.W)}})
}

// Plan sends one contribution to the input.
func (o *Regroup) Plan(p *graph.Planner) error {
	o.Gaps = p.Complete(o.Out)
	o.Sends = []graph.Contribution{p.Contribute(o.In[0])}
	return nil
}
