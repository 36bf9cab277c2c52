package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/telemetry"
	"github.com/mapsweep/mapsweep/trials"
)

// hardware is what the trials of a study may use on this machine.
type hardware struct {
	devices local.Devices
	gpus    []telemetry.GPU    // those that they may lease; none: they run on the CPU
	sampler *telemetry.Sampler // nil: there is nothing to see, trials run in this process, on the CPU
	why     string             // why the native trainer has these devices; "": another trainer
}

// deviceKey is what a study file calls where its trials compute.
const deviceKey = "trainer.device"

// findHardware looks for the devices that a study asks for.
func findHardware(spec studies.Spec) (hardware, error) {
	h, source := hardware{}, telemetry.Source(telemetry.GPUs)
	var err error
	if spec.Trainer.Backend == studies.BackendNative {
		source = machineGPUs.source
		var place native.Place
		place, h.gpus, err = machineGPUs.place(spec.Trainer, deviceKey)
		if h.why = place.Why; h.why == "" && err == nil {
			h.why = cpuAsked(spec.Trainer)
		}
		if err != nil || len(h.gpus) == 0 { // cores are all that trials lease
			return h, err
		}
	} else if h.gpus, err = local.Select(source, spec.Trainer.Device, spec.Trainer.GPUs); err != nil {
		return h, err
	}
	h.devices, h.sampler = local.Devices{GPUs: source, Pack: true}, telemetry.NewSampler(telemetry.GPUs, 0)
	dir, err := local.RuntimeDir()
	if err != nil && len(h.gpus) > 0 { // without locks two studies would train on one device
		return h, err
	}
	h.devices.Dir = dir
	return h, nil
}

// cpuAsked says how a study asks for the CPU.
func cpuAsked(t studies.Trainer) string {
	if t.Device == "" {
		return deviceKey + " is left out"
	}
	return deviceKey + " is " + t.Device
}

// begin is the number of trials at once before packing.
func (h hardware) begin(spec studies.Spec) (int, error) {
	d := h.devices
	d.Want, d.PerTrial = spec.Trainer.Device, spec.Trainer.GPUs
	pool, err := local.NewPool(spec.Budget.Parallel, 0, d, nil)
	if err != nil {
		return 0, err
	}
	return pool.Begin(), nil
}

// bench describes the devices for local.Presets: the smallest card, since a trial may come to any of them.
func (h hardware) bench(spec studies.Spec, at int) local.Bench {
	b := local.Bench{PerTrial: max(1, spec.Trainer.GPUs), Cores: runtime.NumCPU(), Trials: at, Model: spec.Trainer.Model, ImageSize: spec.Trainer.ImageSize}
	if text, ok := spec.Baseline["cfg"].(string); ok && text != "" {
		b.Model = text
	}
	if n, ok := trials.Number(spec.Baseline["imgsz"]); ok {
		b.ImageSize = int(n)
	}
	for _, g := range h.gpus {
		if b.GPU == "" || g.TotalMiB < b.MiB {
			b.GPU, b.MiB = g.Name, g.TotalMiB
		}
	}
	return b
}

// leftOpen says whether a study says nothing about a knob that has presets.
func leftOpen(spec studies.Spec, knob string) bool {
	_, fixed := spec.Baseline[knob]
	_, varied := spec.Factor(knob)
	return !fixed && !varied && (knob != "batch_size" || spec.Trainer.Batch == 0)
}

// withPresets fills in what a study for the official trainer leaves open with settings that fit the devices. A
// study that is recorded keeps those that it began with, also on another machine: they change results.
func withPresets(ctx context.Context, store trials.Reader, spec studies.Spec, h hardware) (studies.Spec, error) {
	if spec.Trainer.Backend != studies.BackendYOLOv9 || len(spec.Presets) > 0 {
		return spec, nil
	}
	if store != nil {
		st, err := store.Study(ctx, spec.Name)
		switch {
		case errors.Is(err, trials.ErrNoStudy):
		case err != nil:
			return spec, err
		default:
			old, err := sweep.StoredSpec(st)
			if err != nil {
				return spec, nil // the engine says what is wrong with it
			}
			for _, p := range old.Presets {
				if leftOpen(spec, p.Knob) {
					spec = preset(spec, p, old.Baseline[p.Knob])
				}
			}
			return spec, nil
		}
	}
	at, err := h.begin(spec)
	if err != nil {
		return spec, err
	}
	open := func(knob string) bool { return leftOpen(spec, knob) }
	for _, s := range local.Presets(h.bench(spec, at), open) {
		spec = preset(spec, studies.Preset{Knob: s.Knob, Why: s.Why}, s.Value)
	}
	return spec, nil
}

func preset(spec studies.Spec, p studies.Preset, value any) studies.Spec {
	spec.Baseline = spec.Baseline.With(trials.Params{p.Knob: value})
	spec.Presets = append(slices.Clone(spec.Presets), p)
	return spec
}

// checkPresets holds the completed baseline against the trainer.
func checkPresets(spec studies.Spec, backend trainer.Backend) error {
	c, ok := backend.(trainer.Checker)
	if !ok || len(spec.Presets) == 0 {
		return nil
	}
	if err := c.CheckParams(spec.Baseline, levelsOf(spec)); err != nil {
		return usagef("preset of this machine: %w; set the knob under baseline:", err)
	}
	return nil
}

// settle finds the hardware of a study and completes the study with presets. The store may be nil.
func settle(ctx context.Context, store trials.Reader, spec studies.Spec, backend trainer.Backend) (studies.Spec, hardware, error) {
	h, err := findHardware(spec)
	if err != nil {
		return spec, h, fmt.Errorf("prepare study %q: %w", spec.Name, err)
	}
	if spec, err = withPresets(ctx, store, spec, h); err != nil {
		return spec, h, err
	}
	return spec, h, checkPresets(spec, backend)
}

// printPresets shows the settings that the study file left to us.
func printPresets(w io.Writer, spec studies.Spec) {
	if len(spec.Presets) == 0 {
		return
	}
	fmt.Fprintln(w, "presets, for what the study file leaves open; they change results and stay the same for the whole study:")
	for _, p := range spec.Presets {
		fmt.Fprintf(w, "  %-12s %-6s %s\n", p.Knob, trials.FormatValue(spec.Baseline[p.Knob]), p.Why)
	}
}

// fakeNote is said wherever devices are shown or used that do not exist.
const fakeNote = "the GPUs are FAKE (" + telemetry.EnvFake + " is set): leases, packing and presets are real, devices and their memory are not"

func anyFake(gpus []telemetry.GPU) bool {
	return slices.ContainsFunc(gpus, func(g telemetry.GPU) bool { return g.Fake })
}
