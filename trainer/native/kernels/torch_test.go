package kernels_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// torchCase is one module of PyTorch on 2 images of 3 channels; see testdata/gen.py for the inputs.
type torchCase struct {
	Kind         string
	H, W, OH, OW int
	Y, DX, DW    []float64
}

// pattern is value i = (a i) mod m - m/2.
func pattern(n, a, m int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(a*i%m - m/2)
	}
	return x
}

// TestTorch holds extents, padding, ties and nearest pixels against PyTorch 2.15, exactly.
func TestTorch(t *testing.T) {
	raw, err := os.ReadFile("testdata/torch.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []torchCase }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 24 {
		t.Fatalf("%d cases, want 24", len(file.Cases))
	}
	eachISA(t, func(t *testing.T) {
		for _, c := range file.Cases {
			t.Run(fmt.Sprintf("%s %dx%d to %dx%d", c.Kind, c.H, c.W, c.OH, c.OW), c.run)
		}
	})
}

func (c torchCase) run(t *testing.T) {
	channels := len(c.Y) / 2 / c.OH / c.OW
	x, dx := newGuarded(t, 2, 3, c.H, c.W), newGuarded(t, 2, 3, c.H, c.W)
	y, dy := newGuarded(t, 2, channels, c.OH, c.OW), newGuarded(t, 2, channels, c.OH, c.OW)
	x.put(pattern(len(c.DX), 7, 11))
	dy.put(pattern(len(c.Y), 3, 5))
	var k, s int
	index := make([]byte, kernels.PoolIndexLen(y.View))
	if n, _ := fmt.Sscanf(c.Kind, "conv%dx%d/%d", &k, &k, &s); n == 3 {
		c.conv(t, k, s, x, y, dx, dy)
	} else {
		switch c.Kind {
		case "mean2x2":
			kernels.MeanForward(x.View, y.View)
			kernels.MeanBackward(dy.View, dx.View, false)
		case "max3x3/2":
			kernels.PoolDownForward(x.View, y.View, index)
			kernels.PoolDownBackward(dy.View, dx.View, index, false)
		case "max5x5/1":
			kernels.MaxPoolForward(x.View, y.View, index)
			kernels.MaxPoolBackward(dy.View, dx.View, index, false)
		case "nearest":
			kernels.ResizeForward(x.View, y.View, false)
			kernels.ResizeBackward(dy.View, dx.View, false)
		default:
			t.Fatalf("unknown kind %q", c.Kind)
		}
	}
	near(t, "y", y.get(), c.Y, 0)
	near(t, "dx", dx.get(), c.DX, 0)
}

func (c torchCase) conv(t *testing.T, k, s int, x, y, dx, dy *guarded) {
	spec := kernels.ConvSpec{K: k, S: s, IC: 3, OC: 2, HasDX: true, X: x.View, DX: dx.View, Y: y.View, DA: dy.View, Beta: mem(t, 16), DBeta: mem(t, 16)}
	spec.W, spec.DW = mem(t, spec.WeightLen()), mem(t, spec.WeightLen())
	w := make([]float32, len(c.DW))
	set(w, pattern(len(w), 5, 7))
	kernels.PackWeights(spec.W, w, kernels.Row(2), kernels.Row(3), k)
	conv, err := kernels.NewConv(spec)
	if err != nil {
		t.Fatal(err)
	}
	defer conv.Close()
	conv.Forward(true)
	conv.Backward()
	kernels.UnpackWeights(w, spec.DW, kernels.Row(2), kernels.Row(3), k)
	near(t, "dw", wide(w), c.DW, 0)
}
