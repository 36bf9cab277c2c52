package spec

// Conv is a square convolution with zero padding of Kernel/2.
type Conv struct {
	Out, Kernel, Stride int
	Groups              int
	// Bias: with a bias and nothing behind it. Otherwise batch normalisation and SiLU follow.
	Bias bool
	// Parts, if any, are the channel counts that the result will be split into.
	Parts []int
}

// Ops carries out the operations of a model, on values T: shapes, tensors of a graph, nodes of a file to export. Names
// are unique, and the prefix of the parameters' names where there are any.
type Ops[T any] interface {
	Image() T
	Conv(name string, x T, c Conv) T
	// RepConv is the sum of a 3x3 and a 1x1 convolution to out channels, each with batch normalisation, and SiLU.
	RepConv(name string, x T, out int) T
	Add(name string, a, b T) T
	Concat(name string, xs []T) T
	Split(x T, parts []int) []T // in runs of channels
	AvgPool(name string, x T) T // 2x2, stride 1, no padding
	MaxPool(name string, x T, kernel, stride int) T
	Upsample(name string, x T) T        // each pixel becomes 2x2
	Fuse(name string, xs []T) T         // sum, all brought to the last one's extent by nearest neighbour
	Channels(x T) int                   // of a value
	Fixed(name string, shape ...int)    // values of the head that are not learned
	Enter(layer int, trainingOnly bool) // what follows is of this layer; len(Layers): of the head
}

// Outputs are the raw outputs of one head: box logits (4 sides by bins) and class logits of each level.
type Outputs[T any] struct {
	Name       string // "head" or "aux"
	Box, Class []T
}

// Build walks a model in the order of its file and calls ops for every operation. With training it includes the
// layers and the head that serve training alone, if the model has them; otherwise auxiliary is empty.
func Build[T any](m *Model, ops Ops[T], training bool) (main, auxiliary Outputs[T]) {
	b := &walk[T]{model: m, ops: ops, results: make([][]T, len(m.Layers))}
	b.image = ops.Image()
	training = training && len(m.Head.Auxiliary) > 0
	for i, l := range m.Layers {
		if l.TrainingOnly && !training {
			continue
		}
		ops.Enter(i, l.TrainingOnly)
		b.results[i] = b.layer(l)
	}
	main = b.head("head", m.Head.Main)
	if training {
		auxiliary = b.head("aux", m.Head.Auxiliary)
	}
	return main, auxiliary
}

// walk is one walk over a model.
type walk[T any] struct {
	model   *Model
	ops     Ops[T]
	image   T
	results [][]T // of each layer: one value, or the groups of a CBLinear
}

func (b *walk[T]) read(n int) T {
	if n < 0 {
		return b.image
	}
	return b.results[n][0]
}

func (b *walk[T]) layer(l Layer) []T {
	name := b.model.Path(l.Number)
	var xs []T
	for _, n := range l.From {
		xs = append(xs, b.read(n))
	}
	x := xs[0]
	switch l.Module {
	case "Conv":
		return []T{b.ops.Conv(name, x, Conv{Out: l.Out, Kernel: l.Kernel, Stride: l.Stride})}
	case "AConv":
		return []T{b.conv(name, "cv1", b.ops.AvgPool(name+".mean", x), l.Out, 3, 2)}
	case "ADown":
		return []T{b.down(name, x, l)}
	case "ELAN1":
		return []T{b.elan(name, x, l)}
	case "RepNCSPELAN4":
		return []T{b.repElan(name, x, l)}
	case "SPPELAN":
		return []T{b.spp(name, x, l)}
	case "Upsample":
		return []T{b.ops.Upsample(name, x)}
	case "Concat":
		return []T{b.ops.Concat(name, xs)}
	case "CBLinear":
		c := Conv{Out: l.Channels, Kernel: 1, Stride: 1, Bias: true, Parts: l.Outs}
		return b.ops.Split(b.ops.Conv(name+".conv", x, c), l.Outs)
	case "CBFuse":
		for k, n := range l.From[:len(l.From)-1] {
			xs[k] = b.results[n][l.Pick[k]]
		}
		return []T{b.ops.Fuse(name, xs)}
	}
	return []T{x} // Silence
}

// conv is a convolution with batch normalisation inside the module called name.
func (b *walk[T]) conv(name, part string, x T, out, kernel, stride int, parts ...int) T {
	return b.ops.Conv(name+"."+b.part(part), x, Conv{Out: out, Kernel: kernel, Stride: stride, Parts: parts})
}

// short are the names that gelan-n has for the parts of its ELAN blocks.
var short = map[string]string{"cv1": "a", "cv2": "u", "cv3": "v", "cv4": "out"}

func (b *walk[T]) part(s string) string {
	if b.model.Labels && short[s] != "" {
		return short[s]
	}
	return s
}
