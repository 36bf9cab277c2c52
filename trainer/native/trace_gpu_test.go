package native_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trials"
)

// TestGPUTrace: an audit on a GPU sees the pictures that a step learns from, made there of recipes, and the steps of the GPU's
// engine. Over the emulator pictures are the CPU's to the bit, and losses nearly.
func TestGPUTrace(t *testing.T) {
	jobs := []trainer.Job{{Epochs: 3, Seed: 1}, {Epochs: 3, Seed: 1}}
	for _, p := range []trials.Params{{"hsv_v": .9}, {"fliplr": 0.0}, {"multi_scale": 0.5}, {"box": 5.0}, {"randaugment_m": 20}, {"close_mosaic": 3}, {"freeze": 1}} {
		jobs = append(jobs, trainer.Job{Epochs: 3, Seed: 1, Params: p})
	}
	b := dotted(t, nil)
	here := traces(t, backend(t, func(c *native.Config) { c.Load, c.Batch = dots, 2 }), jobs)
	there := traces(t, b, jobs)
	for i, job := range jobs {
		if got, want := first(there[0], there[i]), first(here[0], here[i]); got != want {
			t.Errorf("%s first differs at %q, on the CPU at %q", job.Params.Key(), got, want)
		}
		for k, s := range there[i].Steps[:1] {
			want := here[i].Steps[k]
			if !emulator.Real() && s.Hashes[trainer.ChannelInput] != want.Hashes[trainer.ChannelInput] {
				t.Errorf("%s, step %d: other pictures than on the CPU", job.Params.Key(), k+1)
			}
			if s.Hashes[trainer.ChannelGradient] == want.Hashes[trainer.ChannelGradient] {
				t.Errorf("%s, step %d: the gradient is the CPU's to the bit", job.Params.Key(), k+1)
			}
		}
		if s, want := there[i].End.Hashes, here[i].End.Hashes; !emulator.Real() && !reflect.DeepEqual(s, want) {
			t.Errorf("%s: at its end %v, on the CPU %v", job.Params.Key(), s, want)
		}
	}
}

// TestGPUTraceInBF16: pictures are rounded as activations are.
func TestGPUTraceInBF16(t *testing.T) {
	jobs := []trainer.Job{{Epochs: 3, Seed: 1}, {Epochs: 3, Seed: 1, Params: trials.Params{"hsv_v": .9}}}
	wide := traces(t, dotted(t, nil), jobs[:1])[0]
	b := dotted(t, func(c *native.Config) { c.Precision = native.BF16 })
	all := traces(t, b, jobs)
	if got := first(all[0], all[1]); !strings.HasPrefix(got, trainer.ChannelInput) {
		t.Errorf("another brightness shows at %q", got)
	}
	got, want := all[0].Steps[0], wide.Steps[0]
	if v, w := got.Values[trainer.ChannelInput][0], want.Values[trainer.ChannelInput][0]; got.Hashes[trainer.ChannelInput] == want.Hashes[trainer.ChannelInput] || v < .99*w || v > 1.01*w {
		t.Errorf("squares of pictures add up to %g, of float32 to %g", v, w)
	}
}

func traces(t *testing.T, b *native.Backend, jobs []trainer.Job) []trainer.Trace {
	t.Helper()
	all, err := b.Trace(t.Context(), jobs, trainer.TraceOptions{Steps: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i, trace := range all {
		if trace.Failed != "" {
			t.Fatalf("job %d failed: %s", i, trace.Failed)
		}
	}
	return all
}

// TestGPUsTrace: two GPUs have the pictures of the whole batch between them.
func TestGPUsTrace(t *testing.T) {
	four := func(c *native.Config) { c.Load, c.Batch = dots, 4 }
	jobs := []trainer.Job{{Epochs: 1, Seed: 1}}
	two, here := traces(t, onRanks(t, four), jobs)[0], traces(t, backend(t, four), jobs)[0]
	if got, want := two.Steps[0].Hashes[trainer.ChannelInput], here.Steps[0].Hashes[trainer.ChannelInput]; got != want && !emulator.Real() {
		t.Errorf("pictures %s, on the CPU %s", got, want)
	}
}
