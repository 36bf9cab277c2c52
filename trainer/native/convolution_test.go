package native_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trials"
)

func direct(c *native.Config) { c.Convolution = native.Direct }

// The two ways to convolve part by rounding alone: in the first step the losses agree to 1e-4, but not to the last bit in all of
// three steps. A run in one does not go on in the other.
func TestConvolution(t *testing.T) {
	trace := func(change func(*native.Config)) trainer.Trace {
		all, err := backend(t, change).Trace(t.Context(), []trainer.Job{{Epochs: 2, Seed: 1}}, trainer.TraceOptions{Steps: 3})
		if err != nil {
			t.Fatal(err)
		}
		return all[0]
	}
	auto, other := trace(nil), trace(direct)
	if at := first(auto, other); !strings.HasPrefix(at, "loss") {
		t.Errorf("the two differ first in %q", at)
	}
	if at := first(other, trace(direct)); at != "" {
		t.Errorf("direct twice differs in %q", at)
	}
	job := trainer.Job{Epochs: 1, Dir: t.TempDir()}
	b := backend(t, direct)
	train(t, b, job)
	if text := read(t, filepath.Join(job.Dir, "effective.json")); !bytes.Contains(text, []byte(`"convolution": "direct"`)) {
		t.Errorf("effective.json: %s", text)
	}
	if text := read(t, filepath.Join(job.Dir, "trial.log")); !bytes.Contains(text, []byte(" kernels, direct convolutions")) {
		t.Errorf("trial.log: %s", text)
	}
	job.Resume, _ = b.Latest(job.Dir)
	if _, err := backend(t, nil).Train(t.Context(), job, func(trials.Measurement) {}); err == nil || !strings.Contains(err.Error(), `made with convolution "direct" and this is "auto"`) {
		t.Errorf("a direct run went on in the other way: %v", err)
	}
}

func TestConvolutionIsPrepared(t *testing.T) {
	for want, change := range map[string]func(*native.Config){"": nil, "direct": direct} {
		p, err := backend(t, change).Prepare(context.Background())
		if err != nil || p.Extra["convolution"] != want {
			t.Errorf("provenance has convolution %q, want %q: %v", p.Extra["convolution"], want, err)
		}
	}
	if _, err := native.New(native.Config{Data: []string{"scenes"}, Convolution: "fft"}); err == nil || !strings.Contains(err.Error(), "auto, direct or, on a GPU, fastest") {
		t.Errorf("fft: %v", err)
	}
}
