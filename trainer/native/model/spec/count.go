package spec

// Role says what a tensor of a model's state is.
type Role int

// The roles, as PyTorch's state dicts have them.
const (
	Weight  Role = iota // of a convolution: OIHW
	Bias                // of a convolution
	Scale               // of batch normalisation
	Shift               // of batch normalisation
	Mean                // running mean
	Var                 // running variance
	Batches             // number of batches that the running statistics have seen; no value of the model's
	Fixed               // counted as a parameter and never learned: the bins' numbers in the head
)

// Tensor is one tensor of a model's state.
type Tensor struct {
	Name  string
	Shape []int
	Role  Role
	Layer int // len(Layers): the head
	// TrainingOnly: no level of the main head depends on it.
	TrainingOnly bool
}

// Taken says whether a network keeps the tensor: it is learned, or a running statistic.
func (t Tensor) Taken() bool { return t.Role <= Var }

// Elements is the number of values.
func (t Tensor) Elements() int64 {
	n := int64(1)
	for _, s := range t.Shape {
		n *= int64(s)
	}
	return n
}

// Learned says whether an optimiser moves the tensor.
func (t Tensor) Learned() bool { return t.Role <= Shift }

// Cost is what a layer, or a model, costs.
type Cost struct {
	Params int64 // in training, batch normalisation and fixed values included, as PyTorch counts them
	Fixed  int64 // of these, never learned
	// Fused counts the parameters with batch normalisation folded into the convolutions and RepConvs melted into one;
	// Inference counts them without what serves training alone.
	Fused, Inference int64
	// MultiplyAdds of the convolutions for one image, forward: in training; in scoring while a model trains, without what
	// serves training alone; in inference, where RepConvs are melted too.
	TrainMultiplyAdds, ScoreMultiplyAdds, MultiplyAdds int64
}

func (c *Cost) add(o Cost) {
	c.Params += o.Params
	c.Fixed += o.Fixed
	c.Fused += o.Fused
	c.Inference += o.Inference
	c.TrainMultiplyAdds += o.TrainMultiplyAdds
	c.ScoreMultiplyAdds += o.ScoreMultiplyAdds
	c.MultiplyAdds += o.MultiplyAdds
}

// GFLOP is 1e9 floating-point operations of a number of multiply-adds, each counted as two.
func GFLOP(multiplyAdds int64) float64 { return 2 * float64(multiplyAdds) / 1e9 }

// Count is the cost of a model for images of one size, in total and for each layer; the head's stands last.
type Count struct {
	Cost
	Layers  []Cost
	Tensors []Tensor // of the state, in order of computation
}

// State lists the tensors of the model's state in order of computation, those of the auxiliary head and of the layers
// that serve it alone included if the model is resolved with it.
func (m *Model) State() []Tensor { return m.Cost(m.Multiple(), m.Multiple()).Tensors }

// Cost counts a model for images of the given size, multiples of [Model.Multiple].
func (m *Model) Cost(height, width int) Count {
	c := &counter{height: height, width: width, labels: m.Labels}
	c.Layers = make([]Cost, len(m.Layers)+1)
	Build(m, c, true)
	for _, l := range c.Layers {
		c.Count.add(l)
	}
	return c.Count
}

// extent is the value that a counter computes with.
type extent struct{ channels, height, width int }

// counter is the Ops that counts.
type counter struct {
	Count
	height, width int
	labels        bool
	layer         int
	training      bool // this layer serves training alone
}

var _ Ops[extent] = (*counter)(nil)

func (c *counter) Image() extent { return extent{3, c.height, c.width} }

func (c *counter) Enter(layer int, trainingOnly bool) { c.layer, c.training = layer, trainingOnly }

func (c *counter) Conv(name string, x extent, f Conv) extent {
	y := extent{f.Out, (x.height-1)/f.Stride + 1, (x.width-1)/f.Stride + 1}
	w := int64(f.Out) * int64(f.Kernel*f.Kernel*x.channels/max(f.Groups, 1))
	c.count(y, w+int64(f.Out), w, w)
	shape := []int{f.Out, x.channels / max(f.Groups, 1), f.Kernel, f.Kernel}
	if f.Bias {
		c.tensor(name+".weight", Weight, shape...)
		c.tensor(name+".bias", Bias, f.Out)
		return y
	}
	c.normalised(name, shape)
	return y
}

func (c *counter) RepConv(name string, x extent, out int) extent {
	y := extent{out, x.height, x.width}
	one := int64(out) * int64(x.channels)
	c.count(y, 9*one+int64(out), 10*one, 9*one)
	c.normalised(name+".conv1", []int{out, x.channels, 3, 3})
	c.normalised(name+".conv2", []int{out, x.channels, 1, 1})
	return y
}

// count adds a convolution: its output, its fused parameters, and the weights that act on each pixel of the output in
// training and in inference. Parameters in training are counted tensor by tensor.
func (c *counter) count(y extent, fused, train, infer int64) {
	pixels := int64(y.height) * int64(y.width)
	l := Cost{Fused: fused, Inference: fused, TrainMultiplyAdds: train * pixels, ScoreMultiplyAdds: train * pixels, MultiplyAdds: infer * pixels}
	if c.training {
		l.Inference, l.ScoreMultiplyAdds, l.MultiplyAdds = 0, 0, 0
	}
	c.Layers[c.layer].add(l)
}

func (c *counter) normalised(name string, shape []int) {
	if c.labels {
		c.tensor(name+".weight", Weight, shape...)
		c.tensor(name+".gamma", Scale, shape[0])
		c.tensor(name+".beta", Shift, shape[0])
		c.tensor(name+".mean", Mean, shape[0])
		c.tensor(name+".var", Var, shape[0])
		return
	}
	c.tensor(name+".conv.weight", Weight, shape...)
	c.tensor(name+".bn.weight", Scale, shape[0])
	c.tensor(name+".bn.bias", Shift, shape[0])
	c.tensor(name+".bn.running_mean", Mean, shape[0])
	c.tensor(name+".bn.running_var", Var, shape[0])
	c.tensor(name+".bn.num_batches_tracked", Batches)
}

func (c *counter) tensor(name string, role Role, shape ...int) {
	t := Tensor{Name: name, Shape: shape, Role: role, Layer: c.layer, TrainingOnly: c.training}
	c.Tensors = append(c.Tensors, t)
	if t.Learned() {
		c.Layers[c.layer].Params += t.Elements()
	}
}

func (c *counter) Fixed(name string, shape ...int) {
	t := Tensor{Name: name, Shape: shape, Role: Fixed, Layer: c.layer, TrainingOnly: c.training}
	c.Tensors = append(c.Tensors, t)
	n := Cost{Params: t.Elements(), Fixed: t.Elements(), Fused: t.Elements(), Inference: t.Elements()}
	if c.training {
		n.Inference = 0
	}
	c.Layers[c.layer].add(n)
}

func (c *counter) Add(_ string, a, _ extent) extent { return a }

func (c *counter) Concat(_ string, xs []extent) extent {
	y := xs[0]
	for _, x := range xs[1:] {
		y.channels += x.channels
	}
	return y
}

func (c *counter) Split(x extent, parts []int) (ys []extent) {
	for _, n := range parts {
		ys = append(ys, extent{n, x.height, x.width})
	}
	return ys
}

func (c *counter) AvgPool(_ string, x extent) extent {
	return extent{x.channels, x.height - 1, x.width - 1}
}

func (c *counter) MaxPool(_ string, x extent, _, stride int) extent {
	return extent{x.channels, (x.height-1)/stride + 1, (x.width-1)/stride + 1}
}

func (c *counter) Upsample(_ string, x extent) extent {
	return extent{x.channels, 2 * x.height, 2 * x.width}
}

func (c *counter) Fuse(_ string, xs []extent) extent { return xs[len(xs)-1] }

func (c *counter) Channels(x extent) int { return x.channels }
