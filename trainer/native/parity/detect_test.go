//go:build integration

package parity_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/weights"
)

// TestOfficialDetectors opens checkpoints in the official format as detectors, without a word about what they are. What
// their networks compute is held to the official code by TestOfficialCheckpoints.
func TestOfficialDetectors(t *testing.T) {
	const side = 96
	image := dataset.Image{W: side, H: side, Pix: make([]uint8, 3*side*side)}
	for i := range image.Pix {
		image.Pix[i] = uint8(i * i >> 3)
	}
	for _, c := range []struct {
		file, form, model string
		size, epoch       int // that the file says; 0: it does not
	}{
		{"gelan-t", "stripped", "gelan-t", 0, 0}, {"yolov9-t", "unfinished", "yolov9-t", 640, 4}, {"yolov9-s", "float", "yolov9-s", 0, 0}, {"yolov9-t", "converted", "gelan-t", 0, 0},
	} {
		path := checkpoint(t, c.file, 3, c.form)
		set, err := weights.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		plain := filepath.Join(t.TempDir(), "w.safetensors")
		if err := weights.WriteSafetensors(plain, &weights.Set{Tensors: set.Tensors}); err != nil {
			t.Fatal(err)
		}
		if c.size > 0 {
			d, err := native.OpenDetector(path, native.DetectorOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if d.Size != c.size {
				t.Errorf("%s, %s: images of %d pixels, want %d", c.file, c.form, d.Size, c.size)
			}
			d.Close()
		}
		var both [2][]evaluate.Candidate
		for i, p := range []string{path, plain} {
			d, err := native.OpenDetector(p, native.DetectorOptions{Size: side})
			if err != nil {
				t.Fatalf("%s, %s: %v", c.file, c.form, err)
			}
			if d.Model != c.model || len(d.Classes) != 3 || i == 0 && (d.Epoch != c.epoch || d.Average != (c.epoch > 0)) {
				t.Errorf("%s, %s: model %s, classes %v, epoch %d, average %v", c.file, c.form, d.Model, d.Classes, d.Epoch, d.Average)
			}
			t.Logf("%s, %s: %s, classes %v (named: %v), epoch %d", c.file, c.form, d.Model, d.Classes, d.Named, d.Epoch)
			if err := d.Detect(t.Context(), []dataset.Image{image}, 0, func(_ int, c []evaluate.Candidate) { both[i] = append(both[i], c...) }); err != nil {
				t.Fatal(err)
			}
			d.Close()
		}
		if len(both[0]) < 100 || !slices.Equal(both[0], both[1]) {
			t.Errorf("%s, %s: %d candidates, from the same tensors elsewhere %d", c.file, c.form, len(both[0]), len(both[1]))
		}
	}
}
