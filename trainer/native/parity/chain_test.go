//go:build integration

package parity_test

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/weights"
	"github.com/mapsweep/mapsweep/trials"
)

// squares is a data set of four pictures for training and two for scoring, each with a bright square on grey.
func squares(classes int) func(context.Context, string, dataset.Options) (*dataset.Dataset, error) {
	const side, edge = 64, 24
	picture := func(n int) dataset.Image {
		m := dataset.Image{Name: "square-" + strconv.Itoa(n), W: side, H: side, Pix: make([]uint8, 3*side*side)}
		x, y := 5*n, 36-5*n
		for i := range m.Pix {
			m.Pix[i] = uint8(90 + i*7919%31)
			if u, v := i/3%side-x, i/3/side-y; u >= 0 && u < edge && v >= 0 && v < edge {
				m.Pix[i] += 120
			}
		}
		m.Boxes = []dataset.Box{{Class: n % classes, X0: float32(x), Y0: float32(y), X1: float32(x + edge), Y1: float32(y + edge)}}
		return m
	}
	return func(context.Context, string, dataset.Options) (*dataset.Dataset, error) {
		d := &dataset.Dataset{Name: "squares", Size: side, Hash: "squares-1"}
		for k := range classes {
			d.Classes = append(d.Classes, "class-"+strconv.Itoa(k))
		}
		for n := range 6 {
			d.Train = append(d.Train, picture(n))
		}
		d.Train, d.Val = d.Train[:4], d.Train[4:]
		return d, nil
	}
}

// TestOfficialChain takes official checkpoints all the way: a trial starts from one, its checkpoint is exported, and the
// export loads strictly into the official model. The trial's single step is the first of its warm-up, whose rates are zero: what
// is learned must come out as it went in, to the bit, while the statistics of the batch move. Both programs then find the same
// with the exported weights.
func TestOfficialChain(t *testing.T) {
	official := checkout(t)
	for _, tt := range []struct {
		model, form string
		classes     int
	}{{"gelan-t", "stripped", 3}, {"yolov9-t", "unfinished", 3}, {"yolov9-m", "float", 5}} {
		t.Run(tt.model, func(t *testing.T) {
			file := checkpoint(t, tt.model, tt.classes, tt.form)
			want, dir := expected(t, file), t.TempDir()
			b, err := native.New(native.Config{Model: tt.model, Data: []string{"squares"}, Batch: 4, Weights: file, Load: squares(tt.classes)})
			if err != nil {
				t.Fatal(err)
			}
			job := trainer.Job{Epochs: 1, Seed: 3, Dir: dir, Params: trials.Params{"warmup_epochs": 2.0, "warmup_bias_lr": 0.0, "ema": false}}
			if _, err := b.Train(t.Context(), job, func(trials.Measurement) {}); err != nil {
				t.Fatal(err)
			}
			set, err := native.Export(dir)
			if err != nil {
				t.Fatal(err)
			}
			moved := 0
			for _, x := range set.Tensors {
				same := slices.Equal(x.Values, want.Find("state/"+x.Name).Values)
				switch stat := strings.Contains(x.Name, ".running_"); {
				case stat && !same:
					moved++
				case !stat && !same:
					t.Errorf("%s is not what the file has", x.Name)
				}
			}
			if moved == 0 {
				t.Error("no running statistic has moved: nothing was trained")
			}
			path, pictures, out := filepath.Join(dir, "export.safetensors"), filepath.Join(dir, "pictures.safetensors"), filepath.Join(dir, "out.safetensors")
			if err := weights.WriteSafetensors(path, set); err != nil {
				t.Fatal(err)
			}
			if err := weights.WriteSafetensors(pictures, &weights.Set{Tensors: []weights.Tensor{*want.Find("images")}}); err != nil {
				t.Fatal(err)
			}
			args := []string{"load", official, tt.model, strconv.Itoa(tt.classes), path, pictures, out}
			if text, err := python(t, "checkpoint.py", args...).CombinedOutput(); err != nil {
				t.Fatalf("checkpoint.py: %v\n%s", err, text)
			}
			found, err := weights.Read(out)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s, %d classes: %d tensors, %d statistics moved", tt.model, tt.classes, len(set.Tensors), moved)
			reading{found}.judge(t, "", evaluated(t, tt.model, tt.classes, set, want.values(t, "images")))
		})
	}
}
