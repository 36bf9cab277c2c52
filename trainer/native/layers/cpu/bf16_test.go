package cpu_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers/cpu"
)

// TestBF16Networks holds gradients in bfloat16 against those in float32: near, not equal. Shared, separate and soiled buffers,
// the emulation of the instructions and the number of threads change no bit of them.
func TestBF16Networks(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			define := family(seed)
			_, single := build(t, 2, all, define).run(t)
			n := buildOn(t, 1, 2, all, define, (*cpu.Device).UseBF16)
			n.run(t) // the second pass finds used buffers
			l, half := n.run(t)
			var ss, sh, hh float64
			for i := range single {
				a, b := float64(single[i]), float64(half[i])
				ss, sh, hh = ss+a*a, sh+a*b, hh+b*b
			}
			if angle := math.Acos(min(1, sh/math.Sqrt(ss*hh))); !(angle > 0) || angle > 0.15 || math.Abs(math.Sqrt(hh/ss)-1) > 0.02 {
				t.Errorf("gradients at %.4f rad, lengths %.4f", angle, math.Sqrt(hh/ss))
			}
			defer kernels.EmulateBF16()()
			m := buildOn(t, 2, 2, none, define, (*cpu.Device).UseBF16)
			k, emulated := m.run(t)
			if l != k {
				t.Errorf("loss %v, and %v emulated on two threads in separate buffers", l, k)
			}
			same(t, "gradients by instructions and by emulation", half, emulated)
			m.soil()
			_, again := m.run(t)
			same(t, "gradients in clean and in soiled buffers", emulated, again)
		})
	}
}
