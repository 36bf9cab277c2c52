//go:build integration

package native_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/onnx/onnxtest"
	"github.com/mapsweep/mapsweep/trials"
)

// A detector that was trained a little on built-in pictures finds the same in onnxruntime, with a low limit and with
// those of predict.
func TestRuntimeDetections(t *testing.T) {
	const size, of = 64, "builtin:digits"
	b, err := native.New(native.Config{Data: []string{of}, ImageSize: size})
	if err != nil {
		t.Fatal(err)
	}
	params := trials.Params{"lr0": 0.05, "warmup_epochs": 1, "ema_tau": 50.0, "mosaic": 0.0, "translate": 0.0}
	all, res := train(t, b, trainer.Job{Params: params, Epochs: 40, Seed: 1, Dir: t.TempDir()})
	e, err := native.ExportONNX(res.Checkpoint, 0, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := e.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	data, err := dataset.Load(t.Context(), of, dataset.Options{Size: size})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("mAP50 %.3f on %d pictures", all[len(all)-1].Metrics["mAP50"], len(data.Val))
	meta, output := onnxtest.Run(t, path, planes(data.Val))
	var names []string
	if err := json.Unmarshal([]byte(meta["names"]), &names); err != nil || !slices.Equal(names, data.Classes) || meta["model"] != native.ModelName || meta["mapsweep"] != "1.2.3" {
		t.Errorf("words about the model %v, %v", meta, err)
	}
	compareDetections(t, res.Checkpoint, e, data.Val, output)
}

func compareDetections(t *testing.T, checkpoint string, e *native.Exported, images []dataset.Image, output []float32) {
	d, err := native.OpenDetector(checkpoint, native.DetectorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	one := (4 + len(e.Classes)) * e.Anchors
	for _, o := range []evaluate.NMSOptions{{Score: .05, IoU: .7, Keep: 300}, {Score: .25, IoU: .45, Keep: 300}} {
		boxes, scores, found := 0.0, 0.0, 0
		err := d.Detect(t.Context(), images, o.Score, func(i int, c []evaluate.Candidate) {
			side := float32(d.Size)
			got := evaluate.NMS(onnxtest.Candidates(output[i*one:][:one], len(e.Classes), e.Anchors, side, side, o.Score), o)
			want := evaluate.NMS(c, o)
			b, s := onnxtest.Differences(t, got, want)
			boxes, scores, found = max(boxes, b), max(scores, s), found+len(want)
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s, score above %g: %d detections in %d pictures, the same; largest differences: boxes %.2g px, scores %.2g relative", e.Model, o.Score, found, len(images), boxes, scores)
		if !(boxes < 1e-4*float64(d.Size) && scores < 1e-4) || found == 0 {
			t.Errorf("%d detections, boxes differ by %g px, scores by %g", found, boxes, scores)
		}
	}
}

// planes are images as float32, 0 to 1, colour by colour.
func planes(images []dataset.Image) (all []float32) {
	for _, m := range images {
		for c := range 3 {
			for i := c; i < len(m.Pix); i += 3 {
				all = append(all, float32(m.Pix[i])/255)
			}
		}
	}
	return all
}
