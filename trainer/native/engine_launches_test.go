package native

import (
	"github.com/mapsweep/mapsweep/trainer/native/assign"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/layers/gpu"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
)

// StepLaunches are the launches of the step that an engine would capture, with pictures from the host; they are planned where
// there is no device.
func StepLaunches(c StepConfig) ([]cuda.Launch, error) {
	place, _ := gpu.Count()
	n, err := buildOnGPU(engineConfig{model: model.Config{
		Model: c.Network, Classes: Classes, Width: c.Size, Height: c.Size, Batch: c.Batch, Seed: 1, BF16: c.BF16, Direct: true}}, place)
	if err != nil {
		return nil, err
	}
	defer n.Close()
	d, g := n.Device().(gpuDevice), n.Graph()
	if err := d.UseLoss(loss.Spec{Method: assign.Usual, Gains: loss.Gains{Box: 7.5, Class: 0.5, DFL: 1.5}}, 8*c.Batch); err != nil {
		return nil, err
	}
	forward, err := d.Launches(g.Forward, true)
	if err != nil {
		return nil, err
	}
	backward, err := d.Launches(g.Backward, true)
	if err != nil {
		return nil, err
	}
	var step kernel.Step
	all := []cuda.Launch{step.Begin(), kernel.PackImages(d.Type(), 0, d.Image(n.Image()))}
	all = append(append(all, forward...), backward...)
	return append(append(all, kernel.Optimizer{Step: step}.Launches()...), step.End()), nil
}

// OtherSizes is the device memory, in bytes, that networks for all sizes of pictures between half and one and a half times a step's
// take beside that of the largest.
func OtherSizes(c StepConfig) (int64, error) {
	place, count := gpu.Count()
	n, err := buildOnGPU(engineConfig{model: model.Config{Model: c.Network, Classes: Classes, Width: c.Size, Height: c.Size,
		Largest: c.Size * 3 / 2, Batch: c.Batch, Seed: 1, BF16: c.BF16, Direct: true}}, place)
	if err != nil {
		return 0, err
	}
	defer n.Close()
	use := func(n *model.Network) error {
		return n.Device().(gpuDevice).UseLoss(loss.Spec{Method: assign.Usual, Gains: loss.Gains{Box: 7.5, Class: 0.5, DFL: 1.5}}, 8*c.Batch)
	}
	first, err := n.Resized(largestSize(n))
	if err != nil {
		return 0, err
	}
	if err := use(first); err != nil {
		return 0, err
	}
	before := count.Bytes
	for side := c.Size / 2; side < c.Size*3/2; side += 16 {
		r, err := n.Resized(side, side)
		if err != nil {
			return 0, err
		}
		if err := use(r); err != nil {
			return 0, err
		}
	}
	return count.Bytes - before, nil
}
