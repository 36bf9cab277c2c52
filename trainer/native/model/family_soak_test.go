//go:build soak

package model_test

import (
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/layers/layerstest"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/model/modeltest"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// Gradients of whole models of every kind of block, as narrow as they are structurally the same.
func TestFamilyGradients(t *testing.T) {
	for _, name := range []string{"gelan-t", "gelan-c", "yolov9-m"} {
		t.Run(name, func(t *testing.T) {
			checkGradients(t, model.Config{File: narrow(t, name), Classes: 2, Width: 64, Height: 64, Batch: 2, Bins: 4, Seed: 3,
				Aux: strings.HasPrefix(name, "yolov9"), Loss: layerstest.Smooth(1), AuxLoss: layerstest.Smooth(0.25)}, 1e-2)
		})
	}
}

// Networks of inference at their full width.
func TestInferenceFull(t *testing.T) {
	for _, name := range spec.Names() {
		t.Run(name, func(t *testing.T) {
			n := build(t, model.Config{Model: name, Classes: 80, Width: 96, Height: 64, Batch: 2, Seed: 1})
			checkInference(t, n, modeltest.Scramble(t, n, 2))
		})
	}
}
