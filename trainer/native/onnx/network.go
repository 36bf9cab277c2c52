package onnx

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/fold"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// value is a tensor of the graph: its name, and its extent.
type value struct {
	name                    string
	channels, height, width int
}

// network writes the operations of a model down. The first tensor that is missing is kept.
type network struct {
	graph
	weights       fold.Tensors
	height, width int
	err           error
}

var _ spec.Ops[value] = (*network)(nil)

func (n *network) Image() value { return value{input, 3, n.height, n.width} }

func (n *network) Conv(name string, x value, c spec.Conv) value {
	c.Groups = max(c.Groups, 1)
	y := value{name, c.Out, (x.height-1)/c.Stride + 1, (x.width-1)/c.Stride + 1}
	fan := x.channels / c.Groups * c.Kernel * c.Kernel
	if !c.Bias {
		f, err := n.weights.Normalised(name, c.Out, fan)
		return n.active(n.convolve(y.name+".z", x, y, c, f, err), y)
	}
	f, err := n.weights.Biased(name, c.Out, fan)
	n.convolve(y.name, x, y, c, f, err)
	return y
}

func (n *network) RepConv(name string, x value, out int) value {
	f, err := n.weights.Rep(name, out, x.channels)
	y := value{name, out, x.height, x.width}
	return n.active(n.convolve(name+".z", x, y, spec.Conv{Out: out, Kernel: 3, Stride: 1, Groups: 1}, f, err), y)
}

// convolve adds a convolution with bias, of y's extent, and returns its output, which is called output.
func (n *network) convolve(output string, x, y value, c spec.Conv, f fold.Conv, err error) string {
	if err != nil && n.err == nil {
		n.err = err
	}
	w := n.floats(y.name+".weight", f.Weights, c.Out, x.channels/c.Groups, c.Kernel, c.Kernel)
	b := n.floats(y.name+".bias", f.Bias, c.Out)
	k, p, s := int64(c.Kernel), int64(c.Kernel/2), int64(c.Stride)
	return n.one("Conv", output, []string{x.name, w, b}, integers("kernel_shape", k, k), integers("strides", s, s),
		integers("pads", p, p, p, p), integer("group", c.Groups))
}

// active adds SiLU, z sigmoid(z), which makes y.
func (n *network) active(z string, y value) value {
	n.one("Mul", y.name, []string{z, n.one("Sigmoid", y.name+".sigmoid", []string{z})})
	return y
}

func (n *network) Add(name string, a, b value) value {
	n.one("Add", name, []string{a.name, b.name})
	a.name = name
	return a
}

func (n *network) Concat(name string, xs []value) value {
	y := value{name, 0, xs[0].height, xs[0].width}
	var names []string
	for _, x := range xs {
		y.channels += x.channels
		names = append(names, x.name)
	}
	n.one("Concat", name, names, integer("axis", 1))
	return y
}

func (n *network) Split(x value, parts []int) (ys []value) {
	if len(parts) == 1 {
		return []value{x}
	}
	var names []string
	var sizes []int64
	for i, c := range parts {
		ys = append(ys, value{fmt.Sprintf("%s.part.%d", x.name, i), c, x.height, x.width})
		names, sizes = append(names, ys[i].name), append(sizes, int64(c))
	}
	n.apply("Split", []string{x.name, n.ints("split", sizes...)}, names, integer("axis", 1))
	return ys
}

func (n *network) AvgPool(name string, x value) value {
	n.one("AveragePool", name, []string{x.name}, integers("kernel_shape", 2, 2), integers("strides", 1, 1))
	return value{name, x.channels, x.height - 1, x.width - 1}
}

func (n *network) MaxPool(name string, x value, kernel, stride int) value {
	k, p, s := int64(kernel), int64(kernel/2), int64(stride)
	n.one("MaxPool", name, []string{x.name}, integers("kernel_shape", k, k), integers("strides", s, s), integers("pads", p, p, p, p))
	return value{name, x.channels, (x.height-1)/stride + 1, (x.width-1)/stride + 1}
}

func (n *network) Upsample(name string, x value) value {
	return n.resize(name, x, 2*x.height, 2*x.width)
}

// resize brings x to another extent by nearest neighbour: pixel i of it is pixel floor(i / scale) of x.
func (n *network) resize(name string, x value, height, width int) value {
	h, w := float32(height)/float32(x.height), float32(width)/float32(x.width)
	scales := fmt.Sprintf("scales.%gx%g", h, w)
	if !n.known[scales] {
		n.known[scales] = true
		n.floats(scales, []float32{1, 1, h, w}, 4)
	}
	n.one("Resize", name, []string{x.name, "", scales}, word("mode", "nearest"), word("coordinate_transformation_mode", "asymmetric"),
		word("nearest_mode", "floor"))
	return value{name, x.channels, height, width}
}

func (n *network) Fuse(name string, xs []value) value {
	last := xs[len(xs)-1]
	sum := ""
	for i, x := range xs {
		if x.height != last.height || x.width != last.width {
			x = n.resize(fmt.Sprintf("%s.resized.%d", name, i), x, last.height, last.width)
		}
		switch out := fmt.Sprintf("%s.sum.%d", name, i); {
		case i == 0:
			sum = x.name
		case i == len(xs)-1:
			n.one("Add", name, []string{sum, x.name})
		default:
			sum = n.one("Add", out, []string{sum, x.name})
		}
	}
	last.name = name
	return last
}

func (n *network) Channels(x value) int { return x.channels }

func (n *network) Fixed(string, ...int) {}

func (n *network) Enter(int, bool) {}
