package native_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trials"
)

// pictures is the data set of scenes.
func pictures(t *testing.T) *dataset.Dataset {
	t.Helper()
	d, err := scenes(t.Context(), "", dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// detections are those of images with the limits that training scores with.
func detections(t *testing.T, d *native.Detector, images []dataset.Image) (found []evaluate.Detection) {
	t.Helper()
	o := evaluate.DefaultNMS
	err := d.Detect(t.Context(), images, o.Score, func(i int, c []evaluate.Candidate) {
		for _, c := range evaluate.NMS(c, o) {
			found = append(found, evaluate.Detection{Image: i, Class: c.Class, Score: float64(c.Score),
				Box: evaluate.Corners(float64(c.X0), float64(c.Y0), float64(c.X1), float64(c.Y1))})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A detector finds what training scored at its checkpoint, but for rounding: with and without a moving average, and
// without the auxiliary head of training.
func TestDetectorScoresAsTraining(t *testing.T) {
	for name, params := range map[string]trials.Params{
		"average, trained with auxiliary head": {"mosaic": 0.0, "warmup_epochs": 1, "aux": 0.25},
		"weights":                              {"mosaic": 0.0, "warmup_epochs": 1, "ema": false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			all, res := train(t, backend(t, nil), trainer.Job{Params: params, Epochs: 5, Dir: dir})
			d, err := native.OpenDetector(res.Checkpoint, native.DetectorOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			images := pictures(t).Val
			got := evaluate.COCO(native.Truths(images), detections(t, d, images), len(images), len(d.Classes))
			want := all[len(all)-1].Metrics
			far := func(v float64, metric string) bool { return !(math.Abs(v-want[metric]) < 1e-3) }
			if far(got.AP, "mAP50-95") || far(got.AP50, "mAP50") || far(got.AR100, "AR100") || got.AP50 == 0 {
				t.Errorf("AP %v and %v, training had %v and %v", got.AP, got.AP50, want["mAP50-95"], want["mAP50"])
			}
			if d.Average != (params["ema"] == nil) || d.Epoch != 5 || d.Model != native.ModelName || !slices.Equal(d.Classes, pictures(t).Classes) {
				t.Errorf("detector says average %v, epoch %d, model %s, classes %v", d.Average, d.Epoch, d.Model, d.Classes)
			}
			// The folder serves as well as the file, and the other images of a batch change nothing.
			of, err := native.OpenDetector(dir, native.DetectorOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer of.Close()
			twin, err := d.Copy()
			if err != nil {
				t.Fatal(err)
			}
			defer twin.Close()
			if !slices.EqualFunc(detections(t, twin, images), detections(t, d, images), sameBox) {
				t.Error("a copy gives other detections")
			}
			if one := detections(t, of, images[3:4]); !slices.EqualFunc(one, pick(detections(t, d, images), 3), sameBox) {
				t.Error("an image by itself gives other detections")
			}
		})
	}
}

func pick(all []evaluate.Detection, image int) []evaluate.Detection {
	return slices.DeleteFunc(all, func(d evaluate.Detection) bool { return d.Image != image })
}

func sameBox(a, b evaluate.Detection) bool {
	return a.Box == b.Box && a.Score == b.Score && a.Class == b.Class
}

func TestDetectorFaults(t *testing.T) {
	dir := t.TempDir()
	_, res := train(t, backend(t, nil), trainer.Job{Params: trials.Params{"warmup_epochs": 1}, Epochs: 1, Dir: dir})
	data, err := os.ReadFile(res.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.ckpt")
	if err := os.WriteFile(cut, data[:len(data)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		size int
		want string
	}{
		{"none.ckpt", 0, "none.ckpt"}, {t.TempDir(), 0, "neither best.ckpt nor last.ckpt"}, {cut, 0, "not a usable checkpoint"}, {res.Checkpoint, 50, "multiples of 16"},
	} {
		if d, err := native.OpenDetector(c.path, native.DetectorOptions{Size: c.size}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s at %d: %v, %v, want %q", c.path, c.size, d, err, c.want)
		}
	}
	d, err := native.OpenDetector(res.Checkpoint, native.DetectorOptions{Size: 96})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	none := func(int, []evaluate.Candidate) {}
	if err := d.Detect(t.Context(), pictures(t).Val[:1], .1, none); err == nil || !strings.Contains(err.Error(), "96 x 96 are needed") {
		t.Errorf("image of another size: %v", err)
	}
	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if err := d.Detect(ctx, pictures(t).Val, .1, none); !errors.Is(err, stop) {
		t.Errorf("cancelled: %v", err)
	}
	if err := d.Detect(t.Context(), nil, .1, none); err != nil {
		t.Errorf("no images: %v", err)
	}
}

// What is exported are the values that training scores with, beside them what PyTorch counts and keeps.
func TestExport(t *testing.T) {
	b := backend(t, func(c *native.Config) { c.Model, c.ImageSize = "gelan-t", 32 })
	_, res := train(t, b, trainer.Job{Params: trials.Params{"mosaic": 0.0}, Epochs: 1, Dir: t.TempDir()})
	s, err := native.Export(res.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	scored, err := native.Scored(res.Checkpoint)
	if err != nil || len(scored) < 100 {
		t.Fatalf("%d tensors, %v", len(scored), err)
	}
	for name, want := range scored {
		if x := s.Find(name); x == nil || !slices.Equal(x.Values, want) {
			t.Errorf("%s is not what training scored with", name)
		}
	}
	bins := s.Find("model.22.dfl.conv.weight")
	if bins == nil || len(bins.Values) != 16 || bins.Values[0] != 0 || bins.Values[15] != 15 {
		t.Errorf("bins: %+v", bins)
	}
	if n := s.Find("model.0.bn.num_batches_tracked"); n == nil || len(n.Ints) != 1 || n.Ints[0] < 1 {
		t.Errorf("batches: %+v", n)
	}
}
