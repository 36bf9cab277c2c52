package native_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trials"
)

// TestGradientsGPU: loss and gradients of one step in float32 are the CPU's. A fresh network magnifies rounding from layer to
// layer: over the emulator, whose sums have another order, tensors of gelan-n are off by 2e-5 of their norm, of gelan-t (128
// px) and gelan-s (96) by up to 8e-4, of gelan-c (64) by 1e-3. 5e-3, of no less than a hundredth of the largest norm, is left
// for that; products of 11 bits, as TF32 has, would be off by some 8,000 times as much as those of 24.
func TestGradientsGPU(t *testing.T) {
	steps := []native.StepConfig{{Network: "gelan-n", Size: 32, Batch: 2, Sums: true}}
	if emulator.Real() {
		steps = append(steps, native.StepConfig{Network: "gelan-t", Size: 128, Batch: 4, Sums: true},
			native.StepConfig{Network: "gelan-s", Size: 96, Batch: 3, Sums: true}, native.StepConfig{Network: "gelan-c", Size: 64, Batch: 2, Sums: true})
	}
	emulator.Use(t)
	devices, err := cuda.Devices()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range steps {
		t.Run(fmt.Sprintf("%s/%d", c.Network, c.Size), func(t *testing.T) {
			want, grads := oneStep(t, nil, c)
			got, found := oneStep(t, &native.GPU{Name: "cuda:0", Device: devices[0]}, c)
			if !(math.Abs(got-want) <= 1e-4*want) {
				t.Errorf("loss %g, on the CPU %g", got, want)
			}
			largest, worst := 0.0, 0.0
			for _, g := range grads {
				largest = max(largest, norm(g, nil))
			}
			for name, g := range grads {
				off := norm(g, found[name]) / max(norm(g, nil), largest/100)
				if worst = max(worst, off); !(off <= 5e-3) {
					t.Errorf("gradient of %s is off by %.2g of its norm", name, off)
				}
			}
			t.Logf("loss %g, on the CPU %g; gradients of %d tensors off by %.2g at most", got, want, len(grads), worst)
		})
	}
}

// oneStep is the loss and the gradients of a step on a device, or on the CPU where it is nil.
func oneStep(t *testing.T, on *native.GPU, c native.StepConfig) (float64, map[string][]float32) {
	t.Helper()
	s, err := native.NewStepper(on, c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := s.Step(); err != nil {
		t.Fatal(err)
	}
	value, err := s.Wait()
	if err != nil {
		t.Fatal(err)
	}
	grads, err := s.Gradients()
	if err != nil {
		t.Fatal(err)
	}
	return value, grads
}

// norm is that of a - b; b nil is zero.
func norm(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		d := float64(v)
		if b != nil {
			d -= float64(b[i])
		}
		sum += d * d
	}
	return math.Sqrt(sum)
}

// TestBFloat16CurveGPU holds curves in bf16 to those in float32 with the same seeds. On a GPU: 5 seeds of 30 epochs of the
// built-in digits, as agree has it, within half a point. Over the emulator: one epoch, and losses within 3 %; more with the tag soak
// (TestBFloat16CurveEmulated).
func TestBFloat16CurveGPU(t *testing.T) {
	if !emulator.Real() {
		agree(t, 1, 1, 0, tinyScenes)
		return
	}
	m32 := agree(t, 5, 30, 0.005, func(c *native.Config) { c.Load, c.Data, c.Batch = nil, []string{"builtin:digits"}, 16 })
	if m32 < 0.2 {
		t.Errorf("mAP50-95 is %.4f in float32", m32)
	}
}

// agree trains from some seeds in float32 and in bf16, and returns the mean mAP50-95 of float32: losses of the last third of epochs,
// added over seeds, must be within 3 %, and the mean mAP50-95 of several seeds no further off than two standard errors of the
// difference between two groups of seeds, and so much more.
func agree(t *testing.T, seeds, epochs int, more float64, change func(*native.Config)) (mean float64) {
	t.Helper()
	score, late := map[string][]float64{}, map[string]float64{}
	for _, precision := range []string{native.FP32, native.BF16} {
		b := onEmulator(t, func(c *native.Config) { change(c); c.Precision = precision })
		for seed := range seeds {
			all := curves(t, b, trainer.Job{Epochs: epochs, Seed: int64(seed + 1)})
			score[precision] = append(score[precision], all[epochs-1].Metrics["mAP50-95"])
			for _, m := range all[epochs-(epochs+2)/3:] {
				late[precision] += m.Metrics["loss/box"]*7.5 + m.Metrics["loss/cls"]*0.5 + m.Metrics["loss/dfl"]*1.5
			}
		}
	}
	a, b := late[native.FP32], late[native.BF16]
	t.Logf("losses %g and %g; mAP50-95 %.3f and %.3f", a, b, score[native.FP32], score[native.BF16])
	if !(math.Abs(a-b) <= 0.03*a) {
		t.Errorf("losses of the last epochs: %g in bf16, %g in float32", b, a)
	}
	if seeds < 2 {
		return score[native.FP32][0]
	}
	m32, s32 := meanAndDeviation(score[native.FP32])
	m16, s16 := meanAndDeviation(score[native.BF16])
	if limit := 2*math.Sqrt((s32*s32+s16*s16)/float64(seeds)) + more; !(math.Abs(m16-m32) <= limit) {
		t.Errorf("mAP50-95 is %.4f in bf16 and %.4f in float32; no more than %.4f is noise", m16, m32, limit)
	}
	return m32
}

func meanAndDeviation(v []float64) (mean, deviation float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		deviation += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(deviation / float64(len(v)-1))
}

// tinyScenes are 7 pictures of training and 2 of validation: three batches of 2.
func tinyScenes(c *native.Config) {
	c.Batch = 2
	c.Load = tiny
}

// measured leaves times and memory out.
func measured(all []trials.Measurement) []map[string]float64 {
	ms := metrics(all)
	for _, m := range ms {
		delete(m, "gpu/memory-mib")
	}
	return ms
}
