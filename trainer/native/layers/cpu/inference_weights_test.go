package cpu_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/cpu"
)

// Weights of a convolution are kept in Winograd's form where the size of its image says so, and only in that.
func TestInferenceWeights(t *testing.T) {
	for _, c := range []struct {
		name                 string
		side, kernel, groups int // pixels of the convolution's image, a side
		weights, bias        int // floats
	}{
		{"3x3", 4, 3, 1, kernels.TransformedLen(kernels.WeightLen(32, 32, 3)), 32},
		{"one pixel", 1, 3, 1, kernels.WeightLen(32, 32, 3), 32},
		{"1x1", 4, 1, 1, kernels.WeightLen(32, 32, 1), 32},
		{"groups of 16 channels", 24, 3, 2, kernels.TransformedLen(2 * kernels.WeightLen(16, 16, 3)), 32},
		{"groups of 8 channels, large", 24, 3, 4, 4 * kernels.WeightLen(8, 8, 3), 64},
		{"groups of 8 channels, small", 20, 3, 4, kernels.TransformedLen(4 * kernels.WeightLen(8, 8, 3)), 64},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := graph.NewBuilder(1)
			x := layers.Folded(b, "stem", b.Image("image", 3, 2*c.side, 2*c.side), layers.Form{Channels: 32, Kernel: 3, Stride: 2}, true).Out
			y := layers.Folded(b, "conv", x, layers.Form{Channels: 32, Kernel: c.kernel, Groups: c.groups}, true).Out
			s, err := b.Schedule(y)
			if err != nil {
				t.Fatal(err)
			}
			w := cpu.NewWeights(s)
			defer w.Close()
			stem := kernels.WeightLen(32, 3, 3) + 32
			if got, want := w.Bytes(), int64(4*(stem+c.weights+c.bias)); got != want {
				t.Errorf("%d bytes, want %d", got, want)
			}
		})
	}
}
