package model

import (
	"errors"
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// Config says which network to build.
type Config struct {
	Model         string     // name of a built-in model, or path of a model file; "": gelan-n
	File          *spec.File // instead of Model: the model file itself
	Classes       int
	Width, Height int   // pixels of the input, multiples of the model's largest stride
	Largest       int   // pixels a side of the largest images that Resized will be asked for; 0: Width and Height
	Batch         int   // images of a step
	Bins          int   // distribution bins a box side; 0: the model's
	BF16          bool  // train with convolutions of bfloat16, sums and everything else in float32; evaluation stays in float32
	Direct        bool  // 3x3 convolutions with stride 1 without Winograd's form; results differ by rounding
	Aux           bool  // build the auxiliary head, and the layers that serve it alone
	Evaluate      bool  // for evaluation alone, on a Device: memory of activations serves again as soon as they have been read
	Seed          int64 // of the initial weights
	Threads       int   // that a pass uses, the calling one included; results have the same bits for every number. 0: 1

	// Device makes the device that the network is for, which then says by itself what Threads, BF16 and Direct say for the
	// CPU, and has losses of its own; nil: the CPU.
	Device NewDevice

	// Loss is called in each step with the head's output, AuxLoss with the auxiliary head's. The auxiliary loss
	// brings its own weight. Without Loss the network can evaluate only.
	Loss, AuxLoss layers.LossFunc
}

// Default is the model of a Config that names none.
const Default = "gelan-n"

// resolve checks a configuration, fills in what it leaves open, and resolves its model.
func (c *Config) resolve() (*spec.Model, error) {
	if c.Model == "" {
		c.Model = Default
	}
	if c.File == nil {
		var err error
		if c.File, err = spec.Open(c.Model); err != nil {
			return nil, err
		}
	}
	weight := 0.0
	if c.Aux {
		weight = 1 // any above 0: the loss brings its own
	}
	m, err := c.File.Resolve(spec.Options{Classes: c.Classes, Bins: c.Bins, Weight: &weight})
	if err != nil {
		return nil, err
	}
	c.Bins = m.Bins
	k := m.Multiple()
	switch {
	case c.Width < k || c.Height < k || c.Width%k != 0 || c.Height%k != 0:
		return nil, &spec.SizeError{Width: c.Width, Height: c.Height, Multiple: k}
	case c.Batch < 1:
		return nil, fmt.Errorf("batch of %d images: at least 1 is needed", c.Batch)
	case c.Evaluate && c.Device == nil:
		return nil, errors.New("a network for evaluation alone on the CPU: that is an Inference")
	case c.Aux && c.Loss != nil && c.AuxLoss == nil:
		return nil, errors.New("auxiliary head without a loss for it")
	}
	return m, nil
}

// Network is a detector with its memory, for one goroutine. Different networks may run at the same time. Slices that
// its methods return are memory outside of Go's heap, and invalid after Close.
type Network struct {
	cfg    Config
	model  *spec.Model
	graph  *graph.Graph
	device Device
	image  *graph.Tensor
	head   *layers.HeadSet
	aux    *layers.HeadSet
	train  graph.Program
	eval   []graph.Program // by the number of images that are set; nil: not made yet
	pass   graph.Pass
	filled int
	family *family
}

// New builds the network and sets its initial weights. Concurrent calls wait for each other.
func New(cfg Config) (*Network, error) {
	m, err := cfg.resolve()
	if err != nil {
		return nil, fmt.Errorf("build network: %w", err)
	}
	f := &family{model: m, make: cfg.Device, sizes: map[[2]int]*Network{}}
	if f.make == nil {
		f.make = onHost(cfg)
	}
	large := cfg
	if cfg.Largest > max(cfg.Width, cfg.Height) {
		large.Width, large.Height = cfg.Largest, cfg.Largest
	}
	n, err := f.add(large)
	if err == nil {
		n, err = n.Resized(cfg.Width, cfg.Height)
	}
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	if err := n.Reset(cfg.Seed); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return n, nil
}

// define writes the network down and differentiates it.
func define(m *spec.Model, cfg Config) (*Network, error) {
	b := graph.NewBuilder(cfg.Batch)
	n := &Network{cfg: cfg, model: m}
	n.image, n.head, n.aux = build(b, m, cfg)
	sets := []*layers.HeadSet{n.head}
	if n.aux != nil {
		sets = append(sets, n.aux)
	}
	var err error
	if n.graph, err = b.Differentiate(layers.AddLoss(b, sets...)); err != nil {
		return nil, err
	}
	if cfg.Evaluate {
		n.graph.Forward, n.graph.Backward = n.forward(), nil
	}
	return n, nil
}

func (n *Network) compile() error {
	steps := append(append([]graph.Step(nil), n.graph.Forward...), n.graph.Backward...)
	var err error
	if n.train, err = n.device.Compile(steps); err != nil {
		return err
	}
	n.eval = make([]graph.Program, n.cfg.Batch+1)
	n.eval[n.cfg.Batch], err = n.device.Compile(n.forward())
	return err
}

// forward are the steps of an evaluation.
func (n *Network) forward() []graph.Step {
	return n.graph.ForwardTo(append(append([]*graph.Tensor(nil), n.head.Box...), n.head.Class...)...)
}

// Reset sets all parameters to the initial values of a seed and the running statistics to mean 0 and variance 1, and
// the gradients to zero.
func (n *Network) Reset(seed int64) error {
	clear(n.device.Weights())
	clear(n.device.Grads())
	clear(n.device.Stats())
	for _, op := range n.graph.Ops() {
		set, box := n.headOf(op.Output())
		for _, p := range op.Params() {
			n.device.ImportParam(p, n.device.Weights(), n.initial(seed, p, op, set, box))
		}
		for _, s := range op.Stats() {
			v := make([]float32, s.Channels)
			fill(v, s.Initial)
			n.device.ImportStat(s, n.device.Stats(), v)
		}
	}
	return n.device.Upload()
}

// headOf finds the head set that t is an output of, and whether it is a box tensor; nil if it is none.
func (n *Network) headOf(t *graph.Tensor) (set *layers.HeadSet, box bool) {
	for _, s := range []*layers.HeadSet{n.head, n.aux} {
		if s == nil {
			continue
		}
		for l := range s.Box {
			if s.Box[l] == t || s.Class[l] == t {
				return s, s.Box[l] == t
			}
		}
	}
	return nil, false
}

// Config returns what the network was built from, with defaults filled in.
func (n *Network) Config() Config { return n.cfg }

// Model is the resolved model that the network carries out.
func (n *Network) Model() *spec.Model { return n.model }

// SetImages copies images into the input: each Height*Width*3 floats, by rows, RGB interleaved, 0..1. There may be
// fewer than Batch, for [Network.Eval].
func (n *Network) SetImages(pix []float32) error {
	one := n.cfg.Height * n.cfg.Width * 3
	if len(pix) == 0 || len(pix)%one != 0 || len(pix)/one > n.cfg.Batch {
		return fmt.Errorf("set images: %d floats: 1 to %d times %d are needed", len(pix), n.cfg.Batch, one)
	}
	n.filled = len(pix) / one
	return n.device.SetImages(n.image, pix)
}

// Step runs forward in training mode, the loss, and backward. The gradients then stand in Grads, replacing the old
// ones, and the running statistics have moved. Weights are not changed. The batch must be full.
func (n *Network) Step() (float64, error) {
	if n.cfg.Loss == nil && n.cfg.Device == nil {
		return 0, errors.New("run step: the network was built without a loss")
	}
	if n.filled != n.cfg.Batch {
		return 0, fmt.Errorf("run step: %d of %d images are set", n.filled, n.cfg.Batch)
	}
	if !n.device.Entered() {
		return 0, errors.New("run step: images of another size were set since")
	}
	n.pass = graph.Pass{Train: true}
	if err := n.train.Run(&n.pass); err != nil {
		return 0, fmt.Errorf("run step: %w", err)
	}
	return n.pass.Loss, nil
}

// Eval runs forward with running statistics, up to the outputs of the main head.
func (n *Network) Eval() error {
	if n.filled == 0 {
		return errors.New("run evaluation: no images are set")
	}
	if !n.device.Entered() {
		return errors.New("run evaluation: images of another size were set since")
	}
	n.pass = graph.Pass{}
	if n.eval[n.filled] == nil {
		var err error
		if n.eval[n.filled], err = n.device.CompileFront(n.forward(), n.filled); err != nil {
			return fmt.Errorf("run evaluation: %w", err)
		}
	}
	if err := n.eval[n.filled].Run(&n.pass); err != nil {
		return fmt.Errorf("run evaluation: %w", err)
	}
	return nil
}

// HeadOutputs returns the main head's output of the last Eval, for the images that were set. It is valid until
// the next call of any method but the accessors of arenas.
func (n *Network) HeadOutputs() loss.Heads {
	return n.device.Outputs(n.head, n.filled)
}
