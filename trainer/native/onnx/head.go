package onnx

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// decode ends the graph: from the logits of the levels to boxes in pixels and scores. The distance of a side is the
// expectation over its bins, in strides from the anchor point, which is the middle of its cell.
func (n *network) decode(m *spec.Model, o spec.Outputs[value]) {
	bins, a := int64(m.Bins), n.anchors(m, o)
	box, class := n.join("boxes", o.Box, 4*bins), n.join("classes", o.Class, int64(m.Classes))
	sides := n.one("Reshape", "sides", []string{box, n.ints("shape", 0, 4, bins, int64(a))})
	share := n.one("Softmax", "shares", []string{sides}, integer("axis", 2))
	number := make([]float32, bins)
	for i := range number {
		number[i] = float32(i)
	}
	weighed := n.one("Mul", "weighed", []string{share, n.floats("bins", number, 1, 1, m.Bins, 1)})
	mean := n.one("ReduceSum", "distances.cells", []string{weighed, n.ints("axes", 2)}, integer("keepdims", 0))
	distance := n.one("Mul", "distances", []string{mean, "strides"})
	n.apply("Split", []string{distance, n.ints("split", 2, 2)}, []string{"before", "behind"}, integer("axis", 1))
	low, high := n.one("Sub", "low", []string{"points", "before"}), n.one("Add", "high", []string{"points", "behind"})
	centre := n.one("Mul", "centre", []string{n.one("Add", "middle.twice", []string{low, high}), n.floats("half", []float32{0.5}, 1)})
	extent := n.one("Sub", "extent", []string{high, low})
	n.one("Concat", output, []string{centre, extent, n.one("Sigmoid", "scores", []string{class})}, integer("axis", 1))
}

// join lays the levels' pixels one after another: [N, channels, A].
func (n *network) join(name string, levels []value, channels int64) string {
	var flat []string
	for i, x := range levels {
		flat = append(flat, n.one("Reshape", fmt.Sprintf("%s.%d", name, i), []string{x.name, n.ints("shape", 0, channels, -1)}))
	}
	if len(flat) == 1 {
		return flat[0]
	}
	return n.one("Concat", name, flat, integer("axis", 2))
}

// anchors adds the anchor points [1, 2, A] in pixels and their strides [1, 1, A], and counts them.
func (n *network) anchors(m *spec.Model, o spec.Outputs[value]) int {
	var xs, ys, strides []float32
	for l, t := range o.Box {
		s := float32(m.Head.Steps[l])
		for y := range t.height {
			for x := range t.width {
				xs, ys, strides = append(xs, (float32(x)+0.5)*s), append(ys, (float32(y)+0.5)*s), append(strides, s)
			}
		}
	}
	n.floats("points", append(xs, ys...), 1, 2, len(ys))
	n.floats("strides", strides, 1, 1, len(ys))
	return len(ys)
}
