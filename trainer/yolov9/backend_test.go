package yolov9_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trainer/yolov9"
	"github.com/mapsweep/mapsweep/trainer/yolov9/standin"
	"github.com/mapsweep/mapsweep/trials"
)

// TestMain lets the test binary be the Python of the stand-in.
func TestMain(m *testing.M) {
	if os.Getenv("YOLOV9_TEST_PYTHON") != "" {
		os.Exit(standin.Main(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// subject makes a backend that the stand-in runs, and a job for it.
func subject(t *testing.T, cfg yolov9.Config, rules ...standin.Rule) (*yolov9.Backend, trainer.Job) {
	t.Helper()
	t.Setenv("YOLOV9_TEST_PYTHON", "1")
	if len(rules) > 0 {
		text, err := json.Marshal(rules)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv(standin.Variable, string(text))
	}
	dir := t.TempDir()
	if err := standin.Checkout(dir); err != nil {
		t.Fatal(err)
	}
	cfg.Checkout, cfg.Python = dir, os.Args[0]
	if cfg.Model == "" {
		cfg.Model = "gelan-t"
	}
	if cfg.Device == "" {
		cfg.Device = "cpu"
	}
	b, err := yolov9.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, split := range []string{"train", "val"} {
		if err := os.MkdirAll(filepath.Join(dir, "images", split), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	data := filepath.Join(dir, "data.yaml")
	if err := os.WriteFile(data, []byte("train: images/train\nval: images/val\nnames: [a]\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	return b, trainer.Job{Params: trials.Params{"lr0": 0.01}, Epochs: 3, Seed: 7, Threads: 1, Devices: []string{"cpu"}, Data: data, Split: "val", Dir: t.TempDir()}
}

func TestConformance(t *testing.T) {
	_, job := subject(t, yolov9.Config{}, standin.Rule{Do: standin.DoMemory, When: map[string]float64{"lr0": 0.5}}, standin.Rule{Do: standin.DoSlow, MS: 150})
	failing := job
	failing.Params = trials.Params{"lr0": 0.5}
	trainertest.Test(t, trainertest.Subject{
		New: func(t *testing.T) trainer.Backend {
			b, err := yolov9.New(yolov9.Config{Checkout: filepath.Dir(job.Data), Python: os.Args[0], Model: "gelan-t", Device: "cpu"})
			if err != nil {
				t.Fatal(err)
			}
			return b
		},
		Job: job, Objective: "mAP50-95", Exact: true, Stop: 3 * time.Second,
		Failing: failing, FailClass: trials.ClassMemory,
	})
}

// outcome of one call of Train.
type outcome struct {
	ms  []trials.Measurement
	res trainer.Result
	err error
}

func train(ctx context.Context, b *yolov9.Backend, job trainer.Job, each func(trials.Measurement)) outcome {
	var o outcome
	o.res, o.err = b.Train(ctx, job, func(m trials.Measurement) {
		o.ms = append(o.ms, m)
		if each != nil {
			each(m)
		}
	})
	return o
}

func TestFailures(t *testing.T) {
	tests := []struct {
		do, class, reason string
	}{
		{standin.DoCrash, trials.ClassError, "exit status 1 after 1 epochs: RuntimeError: something broke"},
		{standin.DoMemory, trials.ClassMemory, "the GPU's memory ran out"},
		{standin.DoHostMemory, trials.ClassHostMemory, "killed from outside"},
		{standin.DoData, trials.ClassData, "Dataset not found"},
		{standin.DoPackage, trials.ClassPackage, "No module named 'thop'"},
		{standin.DoScript, trials.ClassScript, "does not fit the model"},
		{standin.DoNaN, trials.ClassDiverged, "is NaN at epoch 2"},
		{standin.DoEmpty, trials.ClassError, "results.csv was changed while the script ran: 1 of 3 epochs could be read"},
	}
	for _, tt := range tests {
		t.Run(tt.do, func(t *testing.T) {
			b, job := subject(t, yolov9.Config{}, standin.Rule{Do: tt.do, Epoch: 1})
			o := train(t.Context(), b, job, nil)
			var f *trainer.Failure
			if !errors.As(o.err, &f) {
				t.Fatalf("got %v, want a failure", o.err)
			}
			if f.Class != tt.class || !strings.Contains(f.Reason, tt.reason) {
				t.Errorf("got %s: %s\nwant %s: ... %s", f.Class, f.Reason, tt.class, tt.reason)
			}
			if f.LogTail == "" {
				t.Error("no log tail")
			}
			if len(o.ms) == 0 {
				t.Error("the epoch before the failure was not reported")
			}
		})
	}
}

// TestFullDisk: a full disk ends the study, not the trial alone.
func TestFullDisk(t *testing.T) {
	b, job := subject(t, yolov9.Config{}, standin.Rule{Do: standin.DoFull, Epoch: 1})
	if o := train(t.Context(), b, job, nil); !errors.Is(o.err, syscall.ENOSPC) {
		t.Errorf("got %v, want ENOSPC", o.err)
	}
}

// TestFailsAfterTheLastEpoch: what breaks after the last row and its checkpoint leaves a whole training.
func TestFailsAfterTheLastEpoch(t *testing.T) {
	b, job := subject(t, yolov9.Config{}, standin.Rule{Do: standin.DoLate})
	o := train(t.Context(), b, job, nil)
	if o.err != nil || len(o.ms) != 3 || o.res.Checkpoint == "" {
		t.Errorf("%d epochs, checkpoint %q, %v", len(o.ms), o.res.Checkpoint, o.err)
	}
}

// TestRows: names, epochs from 1, what was not measured is absent.
func TestRows(t *testing.T) {
	for model, dual := range map[string]bool{"gelan-t": false, "yolov9-t": true} {
		b, job := subject(t, yolov9.Config{Model: model})
		o := train(t.Context(), b, job, nil)
		if o.err != nil {
			t.Fatal(o.err)
		}
		m := o.ms[2]
		if m.Epoch != 3 {
			t.Errorf("%s: last epoch %d, want 3", model, m.Epoch)
		}
		want := 0.1*m.Metrics["mAP50"] + 0.9*m.Metrics["mAP50-95"]
		if got := m.Metrics["fitness"]; math.Abs(got-want) > 1e-12 || got == 0 {
			t.Errorf("%s: fitness %v, want %v", model, got, want)
		}
		if _, ok := m.Metrics["val-loss/box"]; ok == dual {
			t.Errorf("%s: validation loss there: %v", model, ok)
		}
		for _, name := range []string{"loss/box", "loss/cls", "loss/dfl", "precision", "recall", "lr/weights", "lr/bias", "lr/norm", "time/epoch"} {
			if _, ok := m.Metrics[name]; !ok {
				t.Errorf("%s: no %s in %v", model, name, m.Metrics)
			}
		}
		if got, want := m.Metrics["mAP50-95"], standin.Score(map[string]float64{"lr0": 0.01, "mixup": 0.15, "mosaic": 1}, 7.5, 7, 2); math.Abs(got-want) > 1e-5 {
			t.Errorf("%s: mAP50-95 %v, want %v", model, got, want)
		}
	}
}

// TestEffective: defaults are filled in, and levers show only where they were pulled.
func TestEffective(t *testing.T) {
	b, job := subject(t, yolov9.Config{Batch: 8, ImageSize: 96})
	job.Params = trials.Params{"lr0": 1e-7, "box": 10.5, "cos_lr": true, "freeze": "0 1 2", "workers": int64(0), "ema": false, "weight_decay": 0.0005, "anchor_t": 3.0}
	o := train(t.Context(), b, job, nil)
	if o.err != nil {
		t.Fatal(o.err)
	}
	for name, want := range (trials.Params{"lr0": 1e-7, "box": 10.5, "cls": 0.5, "cos_lr": true, "rect": false, "freeze": "0 1 2", "workers": int64(0), "ema": false,
		"batch_size": int64(8), "imgsz": int64(96), "autoaugment": "none", "cache": "none", "momentum": 0.937, "anchor_t": 5.0}) {
		if got := o.res.Effective[name]; name != "rect" && !trials.SameValue(got, want) {
			t.Errorf("effective %s is %v (%T), want %v", name, got, got, want)
		}
	}
	for name, want := range map[string]string{"attempt-01.plan.json": `"box": 10.5`, "attempt-01/effective.json": `"box":10.5`} { // the lever itself
		if text, err := os.ReadFile(filepath.Join(job.Dir, name)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s has no %s: %v\n%s", name, want, err, text)
		}
	}
	hyp, err := os.ReadFile(filepath.Join(job.Dir, "attempt-01.hyp.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(hyp), "\n"); n != 29 {
		t.Errorf("%d hyper-parameters in the file, want all 29", n)
	}
	for _, line := range []string{"lr0: 1.0e-07\n", "weight_decay: 0.0005\n", "box: 10.5\n", "mosaic: 1.0\n"} {
		if !strings.Contains(string(hyp), line) {
			t.Errorf("the file has no line %q:\n%s", line, hyp)
		}
	}
}

// TestKilledBeforeCheckpoint: an epoch whose checkpoint was not written runs again, and counts once.
func TestKilledBeforeCheckpoint(t *testing.T) {
	b, job := subject(t, yolov9.Config{}, standin.Rule{Do: standin.DoAfterRow, Epoch: 1, Attempts: 1})
	first := train(t.Context(), b, job, nil)
	if first.err == nil || len(first.ms) != 2 {
		t.Fatalf("first attempt: %d epochs, %v", len(first.ms), first.err)
	}
	path, epochs := b.Latest(job.Dir)
	if epochs != 1 {
		t.Fatalf("checkpoint of epoch %d, want 1", epochs)
	}
	job.Resume = path
	second := train(t.Context(), b, job, nil)
	if second.err != nil || len(second.ms) != 2 || second.ms[0].Epoch != 2 || second.ms[1].Epoch != 3 {
		t.Fatalf("second attempt reported %v, %v", second.ms, second.err)
	}
	if !strings.Contains(second.res.Note, "went on after epoch 1") || first.res.Note != "" {
		t.Errorf("notes %q and %q", first.res.Note, second.res.Note)
	}
	rows, err := os.ReadFile(filepath.Join(job.Dir, "attempt-02", "results.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(rows), "\n"); n != 4 {
		t.Errorf("%d lines in the new table, want a header and 3 rows:\n%s", n, rows)
	}
	if third := train(t.Context(), b, job, nil); third.err != nil {
		t.Errorf("a third attempt: %v", third.err)
	}
}

// TestEndedTraining: a trial whose training ended before its worker died is read, not trained again.
func TestEndedTraining(t *testing.T) {
	b, job := subject(t, yolov9.Config{})
	if o := train(t.Context(), b, job, nil); o.err != nil {
		t.Fatal(o.err)
	}
	path, epochs := b.Latest(job.Dir)
	if epochs != 3 {
		t.Fatalf("checkpoint of epoch %d, want 3", epochs)
	}
	job.Resume = path
	o := train(t.Context(), b, job, nil)
	if o.err != nil || len(o.ms) != 0 || o.res.Effective["lr0"] != 0.01 {
		t.Errorf("%d epochs again, effective %v, %v", len(o.ms), o.res.Effective, o.err)
	}
	if _, err := os.Stat(filepath.Join(job.Dir, "attempt-02")); err == nil {
		t.Error("trained again")
	}
}

// TestStopWaitsForCheckpoint: an epoch that was reported is resumable after a stop.
func TestStopWaitsForCheckpoint(t *testing.T) {
	b, job := subject(t, yolov9.Config{}, standin.Rule{Do: standin.DoSlowSave, MS: 600})
	job.Epochs = 50
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("pruned")
	o := train(ctx, b, job, func(m trials.Measurement) {
		if m.Epoch == 2 {
			cancel(cause)
		}
	})
	if !errors.Is(o.err, cause) {
		t.Fatalf("got %v, want %v", o.err, cause)
	}
	if _, epochs := b.Latest(job.Dir); epochs < 2 {
		t.Errorf("checkpoint of epoch %d after epoch 2 was reported", epochs)
	}
}

// TestLeavesNoProcess: neither a child that the script left, nor a script that does not listen, survives.
func TestLeavesNoProcess(t *testing.T) {
	for _, do := range []string{standin.DoChild, standin.DoDeaf} {
		b, job := subject(t, yolov9.Config{}, standin.Rule{Do: do, Epoch: 1})
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		train(ctx, b, job, func(trials.Measurement) {
			if do == standin.DoDeaf {
				cancel()
			}
		})
		cancel()
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%s: took %v", do, took)
		}
		left := withEnvironment("MAPSWEEP_DIR=" + job.Dir)
		for i := 0; len(left) > 0 && i < 100; i++ { // the kernel takes a moment to end a killed process
			time.Sleep(20 * time.Millisecond)
			left = withEnvironment("MAPSWEEP_DIR=" + job.Dir)
		}
		if len(left) > 0 {
			t.Errorf("%s: processes %v are left", do, left)
		}
	}
}

// withEnvironment lists processes that have an entry in their environment.
func withEnvironment(entry string) []int {
	var found []int
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(d))
		env, err := os.ReadFile(filepath.Join(d, "environ"))
		if err == nil && strings.Contains("\x00"+string(env), "\x00"+entry+"\x00") {
			found = append(found, pid)
		}
	}
	return found
}

func TestCheckParams(t *testing.T) {
	b, _ := subject(t, yolov9.Config{})
	for _, tt := range []struct {
		baseline trials.Params
		levels   map[string][]any
		want     string
	}{
		{trials.Params{"lr0": 0.01}, nil, ""},
		{trials.Params{"sync_bn": true}, nil, "sync_bn is true with one device"},
		{nil, map[string][]any{"sync_bn": {false, true}}, "sync_bn is true with one device"},
		{trials.Params{"project": "x"}, nil, "every trial has a folder of its own"},
		{trials.Params{"epochs": int64(3)}, nil, "trainer.epochs is the length of a trial"},
		{trials.Params{"amp": "fp16"}, nil, "fp16 on the CPU"},
		{trials.Params{"cos_lr": true, "fixed_lr": true}, nil, "cos_lr and fixed_lr are true at once"},
		{trials.Params{"weights": "missing.pt"}, nil, "weights is missing.pt: there is no such file"},
		{trials.Params{"imgsz": int64(96)}, nil, ""},
		{trials.Params{"imgsz": int64(65)}, nil, "imgsz is 65: the official code trains at 96"},
		{nil, map[string][]any{"imgsz": {int64(64), int64(100)}}, "imgsz is 100: the official code trains at 128"},
		{trials.Params{"freeze": "a b"}, nil, "freeze is \"a b\""},
	} {
		err := b.CheckParams(tt.baseline, tt.levels)
		if tt.want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v %v: got %v, want %q", tt.baseline, tt.levels, err, tt.want)
		}
	}
}

// TestCOCO: the last epoch gets scores under names of their own.
func TestCOCO(t *testing.T) {
	b, job := subject(t, yolov9.Config{COCO: true})
	o := train(t.Context(), b, job, nil)
	if o.err != nil {
		t.Fatal(o.err)
	}
	m := o.ms[len(o.ms)-1]
	if m.Epoch != 3 || math.Abs(m.Metrics["coco/mAP50-95"]-1) > 1e-9 || math.Abs(m.Metrics["coco/AP/a"]-1) > 1e-9 || m.Metrics["mAP50-95"] == 0 {
		t.Errorf("last measurement %+v", m)
	}
	if _, ok := m.Metrics["coco/mAP-large"]; ok {
		t.Error("a score of large objects, of which there are none")
	}
	if len(o.res.Artifacts) != 1 || o.res.Artifacts[0].Name != evaluate.MatchesName {
		t.Fatalf("artifacts %+v", o.res.Artifacts)
	}
	kept, err := evaluate.DecodeMatches(o.res.Artifacts[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	if s := kept.Score(evaluate.Subset{}); math.Abs(s.AP-m.Metrics["coco/mAP50-95"]) > 1e-12 || !slices.Contains(kept.Classes, "a") {
		t.Errorf("matches score %+v for classes %v", s, kept.Classes)
	}
	b, job = subject(t, yolov9.Config{COCO: true, NoMatches: true})
	if o := train(t.Context(), b, job, nil); o.err != nil || len(o.res.Artifacts) != 0 || o.ms[len(o.ms)-1].Metrics["coco/mAP50"] == 0 {
		t.Errorf("without matches: %v, %+v", o.err, o.res)
	}
}

// TestClean: the weights of all attempts go, the tables stay.
func TestClean(t *testing.T) {
	b, job := subject(t, yolov9.Config{}, standin.Rule{Do: standin.DoAfterRow, Epoch: 1, Attempts: 1})
	train(t.Context(), b, job, nil)
	job.Resume, _ = b.Latest(job.Dir)
	if o := train(t.Context(), b, job, nil); o.err != nil {
		t.Fatal(o.err)
	}
	if err := b.Clean(job.Dir); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(job.Dir, "*", "weights", "*.pt"))
	if _, err := os.Stat(filepath.Join(job.Dir, "attempt-02", "results.csv")); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	if err := b.Clean(filepath.Join(job.Dir, "nowhere")); err != nil {
		t.Error(err)
	}
}

// TestExploded: a loss that has grown beyond all measure is a divergence, also without a nan; a large gain is not.
func TestExploded(t *testing.T) {
	b, job := subject(t, yolov9.Config{}, standin.Rule{Do: standin.DoExplode, Epoch: 1})
	o := train(t.Context(), b, job, nil)
	var f *trainer.Failure
	if !errors.As(o.err, &f) || f.Class != trials.ClassDiverged || !strings.Contains(f.Reason, "loss/box is 2e+06 at epoch 2") {
		t.Errorf("got %v", o.err)
	}
	job.Dir, job.Params = t.TempDir(), trials.Params{"lr0": 0.01, "box": 75.0, "cls": 5.0, "dfl": 15.0}
	if o := train(t.Context(), b, job, nil); o.err != nil {
		t.Errorf("with gains ten times as large: %v", o.err)
	}
}
