package native_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trials"
)

func inBF16(c *native.Config) { c.Precision = native.BF16 }

// In bfloat16 a network learns what it learns in float32: the mean losses of the first epoch, of 8 steps, are within 1 percent,
// and those of later ones, when two runs have drifted apart as two seeds do, within 15.
func TestBF16LearnsAsFP32(t *testing.T) {
	job := trainer.Job{Params: trials.Params{"mosaic": 0.0, "warmup_epochs": 1}, Epochs: 4, Seed: 2}
	single, _ := train(t, backend(t, nil), job)
	half, _ := train(t, backend(t, inBF16), job)
	for i := range single {
		limit := 0.15
		if i == 0 {
			limit = 0.01
		}
		for _, name := range []string{"loss/box", "loss/cls", "loss/dfl"} {
			s, h := single[i].Metrics[name], half[i].Metrics[name]
			if s == h {
				t.Errorf("epoch %d: %s is %v in both precisions", i+1, name, s)
			}
			if math.Abs(h/s-1) > limit {
				t.Errorf("epoch %d: %s is %v in bf16 and %v in fp32", i+1, name, h, s)
			}
		}
	}
}

// Two runs are equal to the bit, with the processor's instructions and without, and so is one that was stopped and went on.
func TestBF16IsDeterministic(t *testing.T) {
	change := func(c *native.Config) { c.Precision, c.BestMetric, c.ValEvery = native.BF16, "mAP50-95", 1 }
	job := trainer.Job{Params: trials.Params{"warmup_epochs": 1}, Epochs: 2, Seed: 4}
	files := func(job trainer.Job) (all []byte) {
		for _, name := range []string{"last.ckpt", "best.ckpt", "curves.csv"} {
			all = append(all, read(t, filepath.Join(job.Dir, name))...)
		}
		return all
	}
	whole, again, broken := job, job, job
	whole.Dir, again.Dir, broken.Dir = t.TempDir(), t.TempDir(), t.TempDir()
	measured, _ := train(t, backend(t, change), whole)

	restore := kernels.EmulateBF16()
	emulated, _ := train(t, backend(t, change), again)
	restore()
	if !reflect.DeepEqual(metrics(measured), metrics(emulated)) || !bytes.Equal(files(whole), files(again)) {
		t.Error("an emulated run differs")
	}

	b := backend(t, change)
	if _, err := b.Train(&countdown{context.Background(), 13}, broken, func(trials.Measurement) {}); !errors.Is(err, context.Canceled) {
		t.Fatalf("Train returned %v", err)
	}
	broken.Resume, _ = b.Latest(broken.Dir)
	train(t, b, broken)
	if !bytes.Equal(files(whole), files(broken)) {
		t.Error("a resumed run differs")
	}
}

func TestPrecisionOfCheckpoints(t *testing.T) {
	for _, from := range []string{native.FP32, native.BF16} {
		job := trainer.Job{Epochs: 1, Dir: t.TempDir()}
		b := backend(t, func(c *native.Config) { c.Precision = from })
		train(t, b, job)
		job.Resume, _ = b.Latest(job.Dir)
		if head := read(t, job.Resume); !bytes.Contains(head[:1000], []byte(`"precision":"`+from+`"`)) {
			t.Errorf("the header of a run in %s does not say so", from)
		}
		if text := read(t, filepath.Join(job.Dir, "effective.json")); !bytes.Contains(text, []byte(`"precision": "`+from+`"`)) {
			t.Errorf("effective.json of a run in %s: %s", from, text)
		}
		other := backend(t, func(c *native.Config) {
			c.Precision = map[string]string{native.FP32: native.BF16, native.BF16: native.FP32}[from]
		})
		if _, err := other.Train(t.Context(), job, func(trials.Measurement) {}); err == nil || !strings.Contains(err.Error(), "another configuration") {
			t.Errorf("a run in %s went on in the other precision: %v", from, err)
		}
	}
}

func TestPrecisionIsPrepared(t *testing.T) {
	prepare := func(precision string) (string, bool, string) {
		var notes bytes.Buffer
		b := backend(t, func(c *native.Config) {
			c.Precision, c.Log = precision, slog.New(slog.NewTextHandler(&notes, nil))
		})
		p, err := b.Prepare(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		v, ok := p.Extra["precision"]
		return v, ok, notes.String()
	}
	if v, ok, notes := prepare(""); ok || notes != "" {
		t.Errorf("without a precision provenance has %q, notes %q", v, notes)
	}
	if v, _, _ := prepare(native.BF16); v != "bf16, "+kernels.BF16() {
		t.Errorf("provenance has %q", v)
	}
	defer kernels.EmulateBF16()()
	if v, _, notes := prepare(native.BF16); v != "bf16, emulation" || !strings.Contains(notes, "emulated") {
		t.Errorf("without instructions provenance has %q, notes %q", v, notes)
	}
	if _, err := native.New(native.Config{Data: []string{"scenes"}, Precision: "fp16"}); err == nil || !strings.Contains(err.Error(), "fp32 or bf16") {
		t.Errorf("fp16: %v", err)
	}
}

// To the audit the precision is part of the setting: the same pictures and rates, another loss from the first step on.
func TestPrecisionInTraces(t *testing.T) {
	trace := func(change func(*native.Config)) trainer.Trace {
		all, err := backend(t, change).Trace(t.Context(), []trainer.Job{{Epochs: 2, Seed: 1}}, trainer.TraceOptions{Steps: 2})
		if err != nil {
			t.Fatal(err)
		}
		return all[0]
	}
	half := trace(inBF16)
	if at := first(trace(nil), half); at != "loss 1" {
		t.Errorf("bf16 differs first in %q", at)
	}
	if at := first(half, trace(inBF16)); at != "" {
		t.Errorf("bf16 twice differs in %q", at)
	}
}
