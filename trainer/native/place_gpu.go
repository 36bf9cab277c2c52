package native

import (
	"math"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/gpu"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
)

// buildOnGPU makes the network of a run in some place.
func buildOnGPU(c engineConfig, place gpu.Place) (*model.Network, error) {
	typ := kernel.Float32
	if c.model.BF16 {
		typ = kernel.BFloat16
	}
	m := c.model
	m.Device = func(g *graph.Graph) (model.Device, error) {
		d, err := gpu.New(g, place, typ)
		return gpuDevice{d}, err
	}
	return model.New(m)
}

// gpuDevice is a GPU's device as a network needs it.
type gpuDevice struct{ *gpu.Device }

var _ model.Device = gpuDevice{}

// Alloc is memory of the host.
func (d gpuDevice) Alloc(floats int) []float32 { return make([]float32, floats) }

// Entered is always true: no network finds anything in the memory that it shares but what it has put there itself.
func (d gpuDevice) Entered() bool { return true }

// CompileFront runs whole batches: the images behind the first ones are left over from before, and their outputs are not read.
func (d gpuDevice) CompileFront(steps []graph.Step, _ int) (graph.Program, error) {
	return d.Compile(steps)
}

// Outputs are brought to the host. Where that fails they are NaN, and the device's next call reports it.
func (d gpuDevice) Outputs(set *layers.HeadSet, images int) loss.Heads {
	h, err := d.Device.Outputs(set, images)
	if err != nil {
		for _, v := range [][]float32{h.Box, h.Class} {
			for i := range v {
				v[i] = float32(math.NaN())
			}
		}
	}
	return h
}

func (d gpuDevice) Resized(g *graph.Graph) (model.Device, error) {
	r, err := d.Device.Resized(g)
	return gpuDevice{r}, err
}
