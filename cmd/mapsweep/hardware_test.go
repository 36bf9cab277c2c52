package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer/telemetry"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/memory"
)

func official() studies.Spec {
	return studies.Spec{Name: "official", Design: studies.DesignOneFactor, Replicates: 1,
		Objective: studies.Objective{Metric: "mAP50-95", Direction: trials.Maximize, Epoch: "last", Split: "val"},
		Trainer:   studies.Trainer{Backend: studies.BackendYOLOv9, Model: "yolov9-s", Data: []string{"d.yaml"}, Epochs: 1, Device: "auto"},
		Baseline:  trials.Params{"lr0": 0.01}}
}

func fakeHardware(t *testing.T, setting string, spec studies.Spec) hardware {
	t.Helper()
	t.Setenv(telemetry.EnvFake, setting)
	t.Setenv(local.EnvRuntimeDir, t.TempDir())
	h, err := findHardware(spec)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Presets are resolved once, before the first trial, and go with the study.
func TestPresetsStay(t *testing.T) {
	ctx := t.Context()
	store := memory.New()
	spec := official()
	first, err := withPresets(ctx, store, spec, fakeHardware(t, "1xRTX4090", spec))
	if err != nil {
		t.Fatal(err)
	}
	if first.Baseline["batch_size"] != int64(32) || first.Baseline["cache"] != "ram" || len(first.Presets) != 3 || first.Baseline["lr0"] != 0.01 {
		t.Fatalf("baseline %v, presets %+v", first.Baseline, first.Presets)
	}
	if _, named := spec.Baseline["batch_size"]; named {
		t.Error("the study that was passed in was changed")
	}
	resolved, err := first.JSON()
	if err != nil {
		t.Fatal(err)
	}
	back, err := studies.FromJSON(resolved)
	if err != nil || len(back.Presets) != 3 || !trials.SameValue(back.Baseline["batch_size"], int64(32)) {
		t.Fatalf("read back: %+v, %v", back, err)
	}
	if _, err := store.CreateStudy(ctx, trials.Study{Name: "official", Directions: []trials.Direction{trials.Maximize}, Objective: "mAP50-95", Resolved: resolved}); err != nil {
		t.Fatal(err)
	}
	for _, machine := range []string{"4xA100-40GB", "none"} {
		again, err := withPresets(ctx, store, official(), fakeHardware(t, machine, official()))
		if err != nil {
			t.Fatal(err)
		}
		if extends, changes := studies.Diff(back, again); !extends || len(changes) > 0 || len(again.Presets) != 3 {
			t.Errorf("on %s the study became another: %v", machine, changes)
		}
	}
	// What the file says now goes before a preset, and is then a change that the engine refuses.
	named := official()
	named.Baseline["batch_size"] = int64(16)
	again, err := withPresets(ctx, store, named, fakeHardware(t, "none", named))
	if err != nil || again.Baseline["batch_size"] != int64(16) || len(again.Presets) != 2 {
		t.Errorf("baseline %v, %v", again.Baseline, err)
	}
	var out bytes.Buffer
	printPresets(&out, first)
	if !strings.Contains(out.String(), "batch_size   32") || !strings.Contains(out.String(), "article") {
		t.Errorf("printed:\n%s", out.String())
	}
}

// A study that began without presets gets none later, and neither do other trainers.
func TestNoPresets(t *testing.T) {
	store := memory.New()
	began, err := withPresets(t.Context(), store, official(), fakeHardware(t, "none", official()))
	if err != nil || len(began.Presets) != 0 {
		t.Fatalf("on the CPU: %+v, %v", began.Presets, err)
	}
	resolved, _ := began.JSON()
	if _, err := store.CreateStudy(t.Context(), trials.Study{Name: "official", Directions: []trials.Direction{trials.Maximize}, Objective: "mAP50-95", Resolved: resolved}); err != nil {
		t.Fatal(err)
	}
	if again, _ := withPresets(t.Context(), store, official(), fakeHardware(t, "1xRTX4090", official())); len(again.Presets) != 0 {
		t.Errorf("later, on a GPU: %+v", again.Presets)
	}
	open := official()
	open.Name, open.Trainer.Batch = "other", 8
	open.Factors = []studies.Factor{{Name: "workers", Levels: []any{int64(2), int64(4)}}}
	open.Trainer.GPUs = 2
	got, err := withPresets(t.Context(), store, open, fakeHardware(t, "2xRTX4090,1xRTX3060", open))
	if err != nil || len(got.Presets) != 1 || got.Baseline["sync_bn"] != true {
		t.Errorf("batch and workers are the study's, the smallest card is no 4090: %+v, %v", got.Presets, err)
	}
	command := official()
	command.Trainer.Backend = studies.BackendCommand
	if got, _ := withPresets(t.Context(), nil, command, fakeHardware(t, "1xRTX4090", command)); len(got.Presets) != 0 {
		t.Errorf("backend command: %+v", got.Presets)
	}
	native := official()
	native.Trainer.Backend = studies.BackendNative
	if h := fakeHardware(t, "1xRTX4090", native); h.devices.GPUs != nil || h.sampler != nil || len(h.gpus) != 0 {
		t.Errorf("the native trainer leases GPUs: %+v", h)
	}
}
