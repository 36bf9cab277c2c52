//go:build peers

package native_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
)

var (
	network  = flag.String("network", "gelan-n", "network of TestStepGPU")
	size     = flag.Int("size", 64, "pixels a side in TestStepGPU")
	images   = flag.Int("images", 16, "pictures of a batch in TestStepGPU")
	rounds   = flag.Int("rounds", 5, "rounds of TestStepGPU; each times every contender once, in turn")
	steps    = flag.Int("steps", 100, "most steps timed in a round; fewer where they take longer than a second")
	variants = flag.String("variants", "fp32-eager,fp32-graph,tf32-eager,tf32-graph,bf16-eager,bf16-compile,bf16-graph,bf16-compile-graph",
		"contenders of PyTorch in TestStepGPU, by the names of parity/testdata/torch/bench_cuda.py, separated by commas; empty: none")
	goal = flag.Float64("goal", 0, "how many times as fast as the best of PyTorch ours is to be, for the words of TestStepGPU")
)

// The ways in which ours is timed, in either precision.
const (
	resident  = "captured step"
	dependent = "captured step, dependent launches"
	fed       = "batch from the host"
	asTrials  = "as trials"
)

// TestStepGPU times training steps of one network on one batch, ours and PyTorch's in turn, and prints images a second as
// medians over the rounds, then where the time of our steps goes. The captured step has its pictures on the GPU, as
// PyTorch has; the second includes what the engine does to bring a batch there as float32; the third is what trials do: mosaic
// and colour on the GPU of pictures that lie there as bytes. On a GPU of compute capability 9.0 the captured step is timed with
// dependent launches (cuda.Dependent), too. It fails only if something of ours does not run.
func TestStepGPU(t *testing.T) {
	gpu := firstGPU(t)
	var peer *torch
	if *variants != "" {
		peer = newTorch(t, *network, *size, *images, native.Classes)
	}
	type contender struct {
		name string
		run  func(steps int) (float64, error) // seconds of a step
	}
	timed := func(s *native.Stepper, step func() error) func(int) (float64, error) {
		return func(steps int) (float64, error) {
			start := time.Now()
			for range steps {
				if err := step(); err != nil {
					return 0, err
				}
			}
			_, err := s.Wait()
			return time.Since(start).Seconds() / float64(steps), err
		}
	}
	var ours []contender
	var notes []string
	steppers, trialSteppers := map[string]*native.Stepper{}, map[string]*native.Stepper{}
	for _, bf16 := range []bool{false, true} {
		precision := "fp32"
		if bf16 {
			precision = "bf16"
		}
		s := stepper(t, gpu, native.StepConfig{Network: *network, Size: *size, Batch: *images, BF16: bf16})
		steppers[precision] = s
		trial := stepper(t, gpu, native.StepConfig{Network: *network, Size: *size, Batch: *images, BF16: bf16, Held: true})
		trialSteppers[precision] = trial
		ours = append(ours, contender{"ours " + precision + ", " + resident, timed(s, s.Again)}, contender{"ours " + precision + ", " + fed, timed(s, s.Step)},
			contender{"ours " + precision + ", " + asTrials, timed(trial, trial.Step)})
		prime(t, s)
		if gpu.Device.Capability == "9.0" && os.Getenv("MAPSWEEP_PDL") != "1" {
			early := early(t, gpu, s.StepConfig)
			ours = append(ours, contender{"ours " + precision + ", " + dependent, timed(early, early.Again)})
			n, of := early.Dependent()
			notes = append(notes, fmt.Sprintf("  %s, %s: %d of %d may begin before the one ahead has ended\n", precision, dependent, n, of))
		}
	}
	all := slices.Clone(ours)
	if peer != nil {
		for _, v := range strings.Split(*variants, ",") {
			if _, err := peer.seconds(v, 0); err != nil {
				t.Logf("PyTorch %s: left out: %v", v, err)
				continue
			}
			all = append(all, contender{"PyTorch " + v, func(steps int) (float64, error) { return peer.seconds(v, steps) }})
		}
	}
	found, count := map[string][]float64{}, map[string]int{}
	for _, c := range all { // about a second a round
		first := min(3, *steps)
		seconds, err := c.run(first)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		count[c.name] = min(*steps, max(first, int(1/seconds)))
	}
	for range *rounds {
		for _, c := range all {
			seconds, err := c.run(count[c.name])
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			found[c.name] = append(found[c.name], seconds)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d px, batch %d, median of %d rounds of up to %d steps\n", *network, *size, *images, *rounds, *steps)
	fmt.Fprintf(&b, "  ours on %s; %s\n", gpu.Device.Name, peer)
	best := ""
	for _, c := range all {
		if strings.HasPrefix(c.name, "PyTorch") && (best == "" || median(found[c.name]) < median(found[best])) {
			best = c.name
		}
	}
	for _, c := range all {
		m := median(found[c.name])
		fmt.Fprintf(&b, "  %-45s %10.1f images/s %9.3f ms a step", c.name, float64(*images)/m, 1000*m)
		if best != "" {
			fmt.Fprintf(&b, "  %6.2f times the best of PyTorch", ratio(found[best], found[c.name]))
		}
		b.WriteString("\n")
	}
	b.WriteString(strings.Join(notes, ""))
	if !emulator.Real() {
		b.WriteString("  emulated: these times say nothing\n")
	}
	if best != "" && *goal > 0 && emulator.Real() {
		got := ratio(found[best], found["ours bf16, "+resident])
		verdict := "reached"
		if got < *goal {
			verdict = "not reached"
		}
		fmt.Fprintf(&b, "  goal of %.1f times %s: %s with %.2f\n", *goal, best, verdict, got)
	}
	for _, precision := range []string{"fp32", "bf16"} {
		s := steppers[precision]
		launches, err := s.Profile()
		if err != nil {
			t.Fatal(err)
		}
		step := median(found["ours "+precision+", "+resident])
		fmt.Fprintf(&b, "profile, %s: %d launches, %.0f MiB, %.1f TFLOP/s of convolutions over the whole step\n%s", precision, len(launches), float64(s.Bytes())/(1<<20), s.FLOP()/step/1e12,
			profile(launches, step, s.FLOP()))
		if launches, err = trialSteppers[precision].Profile(); err != nil {
			t.Fatal(err)
		}
		n, seconds := augmentation(launches)
		fmt.Fprintf(&b, "  in a step as trials do it: augmentation takes %d launches, %.1f us\n", n, 1e6*seconds)
	}
	fmt.Println(b.String())
}

// firstGPU is the machine's first GPU, or the emulated one.
func firstGPU(t *testing.T) *native.GPU {
	t.Helper()
	emulator.Use(t)
	devices, err := cuda.Devices()
	if err == nil && len(devices) == 0 {
		err = errors.New("no device")
	}
	if err != nil {
		t.Fatal(err)
	}
	return &native.GPU{Name: "cuda:0", Device: devices[0]}
}

func stepper(t *testing.T, on *native.GPU, c native.StepConfig) *native.Stepper {
	t.Helper()
	s, err := native.NewStepper(on, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// early is a stepper whose step was captured with dependent launches.
func early(t *testing.T, on *native.GPU, c native.StepConfig) *native.Stepper {
	t.Helper()
	before := os.Getenv("MAPSWEEP_PDL")
	t.Setenv("MAPSWEEP_PDL", "1")
	defer t.Setenv("MAPSWEEP_PDL", before)
	s := stepper(t, on, c)
	prime(t, s)
	return s
}

// prime takes a step, with which its work is captured and its batch comes to the GPU.
func prime(t *testing.T, s *native.Stepper) {
	t.Helper()
	if err := s.Step(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Wait(); err != nil {
		t.Fatal(err)
	}
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// ratio is the median of a/b, round by round.
func ratio(a, b []float64) float64 {
	all := make([]float64, len(a))
	for i := range all {
		all[i] = a[i] / b[i]
	}
	return median(all)
}
