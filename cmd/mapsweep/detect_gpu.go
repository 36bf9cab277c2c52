package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// openDetector opens the detector that the flags describe on the device that they name. A GPU is leased until end is called,
// which closes the detector.
func (a *app) openDetector(ctx context.Context, o detectOptions, path string) (d *native.Detector, end func(), err error) {
	t := studies.Trainer{Backend: studies.BackendNative, Device: o.device}
	place, _, err := machineGPUs.place(t, "--device")
	if err != nil {
		return nil, nil, err
	}
	back := func() {}
	var choose func(int64) (native.GPU, error)
	if len(place.GPUs) > 0 {
		choose = func(bytes int64) (g native.GPU, err error) {
			var devices []string
			if devices, back, err = a.lease(ctx, t, bytes>>20+1); err != nil {
				back = func() {}
				return g, err
			}
			i := slices.IndexFunc(place.GPUs, func(g native.GPU) bool { return slices.Contains(devices, g.Name) })
			if i < 0 {
				return g, fmt.Errorf("use device %s: %w: it went away", o.device, trainer.ErrNoDevice)
			}
			return place.GPUs[i], nil
		}
	}
	if d, err = o.open(path, choose); err != nil {
		back()
		if errors.Is(err, cuda.ErrMemory) {
			err = fmt.Errorf("%w; --device cpu takes none of it", err)
		}
		return nil, nil, err
	}
	if place.Why != "" {
		fmt.Fprintf(a.stderr, "device %s (%s)\n", d.Device, place.Why)
	}
	if d.Note != "" {
		fmt.Fprintf(a.notes, "note: %s\n", d.Note)
	}
	return d, func() { d.Close(); back() }, nil
}
