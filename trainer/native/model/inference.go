package model

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/fold"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/cpu"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// Limits of the batch of an Inference. Convolutions go image by image, so that a larger batch only saves reading the
// weights again, and only where activations still find room in the cache.
const (
	mostImages      = 8
	mostActivations = 8 << 20 // bytes
)

// Inference is a trained network in the form for use: batch normalisation folded, RepConvs melted, nothing of what serves
// training alone, no gradients, and activations that follow each other in one piece of memory. It belongs to one
// goroutine; copies of it share the weights and may run at the same time.
type Inference struct {
	model         *spec.Model
	width, height int
	batch         int
	plan          *plan
	weights       *cpu.Weights
	copied        bool // the weights belong to another
	device        *cpu.Inference
	filled        int
	threads       int
}

// plan is a network written down for a batch.
type plan struct {
	schedule *graph.Schedule
	image    *graph.Tensor
	head     *layers.HeadSet
	kernels  []kernel
}

// kernel is a convolution and how its values come about.
type kernel struct {
	op     *layers.Fused
	values func(fold.Tensors) (fold.Conv, error)
}

// NewInference builds m for images of width x height pixels, multiples of [spec.Model.Multiple], with the weights of a
// trained model. batch is the largest number of images of one run; 0: what suits the model and the size.
func NewInference(m *spec.Model, width, height, batch int, t fold.Tensors) (*Inference, error) {
	if k := m.Multiple(); width < k || height < k || width%k != 0 || height%k != 0 {
		return nil, fmt.Errorf("build network: %w", &spec.SizeError{Width: width, Height: height, Multiple: k})
	}
	n := &Inference{model: m, width: width, height: height, batch: max(batch, 1)}
	var err error
	if n.plan, err = write(m, n.batch, width, height); err != nil {
		return nil, fmt.Errorf("build network: %w", err)
	}
	if batch == 0 {
		n.batch = min(max(mostActivations/(4*cpu.ArenaFloats(n.plan.schedule)), 1), mostImages)
		if n.plan, err = write(m, n.batch, width, height); err != nil {
			return nil, fmt.Errorf("build network: %w", err)
		}
	}
	n.weights = cpu.NewWeights(n.plan.schedule)
	for _, k := range n.plan.kernels {
		c, err := k.values(t)
		if err != nil {
			n.Close()
			return nil, fmt.Errorf("build network: %w", err)
		}
		n.weights.Set(k.op.Learn[0], c.Weights)
		n.weights.Set(k.op.Learn[1], c.Bias)
	}
	if err := n.bind(); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

func (n *Inference) bind() (err error) {
	if n.device, err = cpu.NewInference(n.plan.schedule, n.plan.image, n.plan.head, n.weights, n.threads); err != nil {
		return fmt.Errorf("build network: %w", err)
	}
	return nil
}

// UseThreads makes so many threads share the work, the calling one included; results have the same bits for every number.
// Images must be set anew.
func (n *Inference) UseThreads(threads int) error {
	old := n.device
	n.filled, n.threads = 0, threads
	if err := n.bind(); err != nil {
		n.device = old
		return err
	}
	old.Close()
	return nil
}

// Copy returns a network with the same weights and memory of its own for activations, also while n runs. Close it before
// n.
func (n *Inference) Copy() (*Inference, error) {
	c := &Inference{threads: n.threads, model: n.model, width: n.width, height: n.height, batch: n.batch, plan: n.plan, weights: n.weights, copied: true}
	if err := c.bind(); err != nil {
		return nil, err
	}
	return c, nil
}

// Model is the model that the network carries out.
func (n *Inference) Model() *spec.Model { return n.model }

// Batch is the largest number of images of one run.
func (n *Inference) Batch() int { return n.batch }

// SetImages copies 1 to Batch images into the input: each height*width*3 floats, by rows, RGB interleaved, 0..1.
func (n *Inference) SetImages(pix []float32) error {
	one := n.height * n.width * 3
	if len(pix) == 0 || len(pix)%one != 0 || len(pix)/one > n.batch {
		return fmt.Errorf("set images: %d floats: 1 to %d times %d are needed", len(pix), n.batch, one)
	}
	n.filled = len(pix) / one
	n.device.SetImages(pix)
	return nil
}

// Run computes and returns the outputs for the images that were set, which must be set anew for each run. They are valid
// until the next call of any method.
func (n *Inference) Run() (loss.Heads, error) {
	if n.filled == 0 {
		return loss.Heads{}, fmt.Errorf("run network: no images are set")
	}
	images := n.filled
	n.filled = 0
	n.device.Run(images)
	return n.device.Outputs(images), nil
}

// Bytes is the memory that the network holds outside of Go's heap: for activations, and for weights, which copies share.
func (n *Inference) Bytes() (activations, weights int64) { return n.device.Bytes(), n.weights.Bytes() }

// Close releases the memory; that of the weights too unless n is a copy. A second Close does nothing.
func (n *Inference) Close() {
	if n.device != nil {
		n.device.Close()
		n.device = nil
	}
	if !n.copied {
		n.weights.Close()
	}
}
