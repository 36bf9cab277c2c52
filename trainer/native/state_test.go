package native_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trials"
)

// equal says of each tensor of a part whether it is the same in two checkpoints.
func equal(a, b file, part string) map[string]bool {
	same := map[string]bool{}
	for _, name := range a.names {
		if tensor, ok := strings.CutPrefix(name, part+"/"); ok {
			same[tensor] = slices.Equal(a.tensors[name], b.tensors[name])
		}
	}
	return same
}

// stoppedAfter trains until so many steps of the first epoch are done, and reads the checkpoint.
func stoppedAfter(t *testing.T, b *native.Backend, job trainer.Job, steps int) file {
	t.Helper()
	job.Dir = t.TempDir()
	if _, err := b.Train(&countdown{context.Background(), steps}, job, func(trials.Measurement) {}); !errors.Is(err, context.Canceled) {
		t.Fatalf("Train returned %v", err)
	}
	return parse(t, filepath.Join(job.Dir, "last.ckpt"))
}

func TestWeightsWaitForTheNominalBatch(t *testing.T) {
	// Batches of 8 that count together as 24: weights move after steps 3, 6, ... Nothing else differs between the files.
	b := backend(t, nil)
	job := trainer.Job{Epochs: 2, Params: trials.Params{"nominal_batch": 24, "warmup_epochs": 0, "weight_decay": 0.0, "clip_norm": 0.0, "mosaic": 0.0, "schedule": "fixed", "ema_tau": 2.0, "ema_decay": 0.9}}
	var at []file
	for steps := 1; steps <= 4; steps++ {
		at = append(at, stoppedAfter(t, b, job, steps))
	}
	for i, want := range []struct {
		updates, pending float64
		moved            bool // against the file before
	}{{0, 1, false}, {0, 2, false}, {1, 0, true}, {1, 1, false}} {
		updates, _ := at[i].head["updates"].(float64) // absent: 0
		pending, _ := at[i].head["pending"].(float64)
		if updates != want.updates || pending != want.pending {
			t.Errorf("after step %d: %v updates, %v pending, want %v and %v", i+1, updates, pending, want.updates, want.pending)
		}
		if i == 0 {
			continue
		}
		for _, part := range []string{"weights", "average"} {
			if moved := !equal(at[i-1], at[i], part)["s2.weight"]; moved != want.moved {
				t.Errorf("step %d moved %s: %v, want %v", i+1, part, moved, want.moved)
			}
		}
	}
	// The step takes the sum of the three gradients: with momentum 0.937, w falls by 0.02 x 1.937 times the buffer, which is the sum.
	sum := 0.0
	for i, m := range at[2].tensors["momentum/s2.weight"] {
		w0, w1 := at[1].tensors["weights/s2.weight"][i], at[2].tensors["weights/s2.weight"][i]
		if want := float64(w0) - 0.02*1.937*float64(m); math.Abs(float64(w1)-want) > 1e-6 {
			t.Fatalf("weight %d went from %g to %g, want %g", i, w0, w1, want)
		}
		third := float64(m) - float64(at[1].tensors["sum/s2.weight"][i])
		sum += third * third
	}
	if sum == 0 {
		t.Error("the third batch adds nothing to the sum")
	}
}

func TestFreeze(t *testing.T) {
	b := backend(t, nil)
	job := trainer.Job{Epochs: 2, Params: trials.Params{"freeze": 2, "mosaic": 0.0, "weight_decay": 0.1}}
	for _, optimizer := range []string{native.SGD, native.Adam, native.AdamW, native.LION} {
		job.Params["optimizer"] = optimizer
		before, after := stoppedAfter(t, b, job, 1), stoppedAfter(t, b, job, 5)
		moved := 0
		for name, same := range equal(before, after, "weights") {
			layer, _, _ := strings.Cut(name, ".")
			frozen := (layer == "s1" || layer == "s2") && !strings.HasSuffix(name, "mean") && !strings.HasSuffix(name, "var")
			if frozen && !same {
				t.Errorf("%s: %s moved", optimizer, name)
			}
			if stat := strings.HasSuffix(name, "mean"); !frozen && same && (stat || strings.HasSuffix(name, "weight")) {
				t.Errorf("%s: %s stayed", optimizer, name)
			}
			if !same {
				moved++
			}
		}
		if moved < 50 {
			t.Errorf("%s: only %d tensors moved", optimizer, moved)
		}
	}
	job.Params = trials.Params{"freeze": 1000}
	job.Dir = t.TempDir()
	_, err := b.Train(t.Context(), job, func(trials.Measurement) {})
	var f *trainer.Failure
	if !errors.As(err, &f) || f.Class != trials.ClassInfeasible || !strings.Contains(f.Reason, "freeze is 1000") {
		t.Errorf("all layers frozen: %v", err)
	}
}

func TestPatience(t *testing.T) {
	// A run that stands still after an epoch that its checkpoint says was good.
	b := backend(t, nil)
	job := trainer.Job{Epochs: 7, Dir: t.TempDir(), Params: trials.Params{"lr0": 1e-9, "warmup_epochs": 0, "patience": 2, "mosaic": 0.0}}
	good := filepath.Join(t.TempDir(), "last.ckpt")
	stop := errors.New("far enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	if _, err := b.Train(ctx, job, func(m trials.Measurement) {
		if m.Epoch == 2 {
			cancel(stop)
		}
	}); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	state := parse(t, filepath.Join(job.Dir, "last.ckpt"))
	m := state.head["curves"].([]any)[0].(map[string]any)["metrics"].(map[string]any)
	m["mAP50"], m["mAP50-95"] = 0.5, 0.25
	state.write(t, good)
	job.Resume = good
	all, res := train(t, b, job)
	if len(all) != 1 || all[0].Epoch != 3 || !strings.Contains(res.Note, "epoch 3 of 7") || !strings.Contains(res.Note, "0.275") || len(res.Artifacts) != 1 {
		t.Errorf("%d epochs more, note %q, %d artifacts", len(all), res.Note, len(res.Artifacts))
	}
	if log := string(read(t, filepath.Join(job.Dir, "trial.log"))); !strings.Contains(log, "done: "+res.Note) {
		t.Errorf("the log lacks the note:\n%s", log)
	}
	job.Resume, _ = b.Latest(job.Dir)
	again, second := train(t, b, job)
	if len(again) != 0 || second.Note != res.Note {
		t.Errorf("gone on with after its end: %d epochs, note %q", len(again), second.Note)
	}
}

func TestExhausted(t *testing.T) {
	none := map[string]float64{"loss/box": 1}
	at := func(values ...float64) (all []map[string]float64) {
		for _, v := range values {
			m := none
			if !math.IsNaN(v) { // an epoch without a score
				m = map[string]float64{"mAP50": v, "mAP50-95": v, "AR100": 1 - v}
			}
			all = append(all, m)
		}
		return all
	}
	no := math.NaN()
	for name, c := range map[string]struct {
		params   trials.Params
		finished []map[string]float64
		says     string
	}{
		"none yet":                      {trials.Params{"patience": 1}, nil, ""},
		"never":                         {trials.Params{"patience": 0}, at(.5, .4, .3, .2), ""},
		"waits":                         {trials.Params{"patience": 3}, at(.1, .5, .4, .3), ""},
		"ends":                          {trials.Params{"patience": 2}, at(.1, .5, .4, .3), "ended after epoch 4 of 9: patience is 2, and fitness was best in epoch 2, 0.5"},
		"as good counts as better":      {trials.Params{"patience": 2}, at(.5, .4, .5, .4), ""},
		"zeros go on":                   {trials.Params{"patience": 2}, at(0, 0, 0, 0), ""},
		"scores now and then":           {trials.Params{"patience": 2}, at(no, .5, no), ""},
		"counted in epochs, not scores": {trials.Params{"patience": 2}, at(no, .5, no, .4), "epoch 2, 0.5"},
		"no scores":                     {trials.Params{"patience": 1}, at(no, no, no), ""},
		"another metric":                {trials.Params{"patience": 2, "patience_metric": "AR100"}, at(.1, .5, .4, .3), "AR100 was best in epoch 1, 0.9"},
	} {
		if got, err := native.Exhausted(c.params, 9, c.finished); err != nil || (c.says == "") != (got == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s: %q (%v), want %q", name, got, err, c.says)
		}
	}
}

func TestValInterval(t *testing.T) {
	all, _ := train(t, backend(t, nil), trainer.Job{Epochs: 5, Params: trials.Params{"val_interval": 2}})
	for i, m := range all {
		if _, scored := m.Metrics["mAP50-95"]; scored != (i == 1 || i == 3 || i == 4) {
			t.Errorf("epoch %d scored: %v", i+1, scored)
		}
	}
}
