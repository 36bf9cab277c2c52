package native_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/weights"
	"github.com/mapsweep/mapsweep/trials"
)

// from is a backend whose trials start from a file of weights.
func from(t *testing.T, path string, classes ...string) *native.Backend {
	return backend(t, func(c *native.Config) {
		c.Weights = path
		if len(classes) > 0 {
			c.Load = func(ctx context.Context, ref string, o dataset.Options) (*dataset.Dataset, error) {
				d, err := scenes(ctx, ref, o)
				d.Classes = classes
				return d, err
			}
		}
	})
}

func TestStartsFromWeights(t *testing.T) {
	dir := t.TempDir()
	train(t, backend(t, nil), trainer.Job{Epochs: 1, Seed: 5, Dir: dir, Params: trials.Params{"ema_tau": 5.0, "aux": 0.25}})
	path := filepath.Join(dir, "last.ckpt")
	old := parse(t, path)
	for name, c := range map[string]struct {
		classes []string
		anew    []string // tensors that do not come from the file
		log     string
	}{
		"the same classes": {[]string{"bright", "core"}, nil, "133 of 133 tensors"},
		"other names":      {[]string{"core", "bright"}, []string{"head8.class.out.weight", "head8.class.out.bias", "head16.class.out.weight", "head16.class.out.bias"}, "129 of 133 tensors; anew: head8.class.out.weight"},
		"one class more":   {[]string{"bright", "core", "dull"}, []string{"head8.class.out.weight", "head8.class.out.bias", "head16.class.out.weight", "head16.class.out.bias"}, "129 of 133"},
	} {
		job := trainer.Job{Epochs: 2, Seed: 9, Params: trials.Params{"lr0": 1e-9, "warmup_epochs": 3.0, "weight_decay": 0.0}}
		b := from(t, path, c.classes...)
		got, own := stoppedAfter(t, b, job, 1), stoppedAfter(t, backend(t, nil), job, 1) // the first step of warm-up moves biases alone
		for _, tensor := range got.names {
			name, ok := strings.CutPrefix(tensor, "weights/")
			if !ok || strings.HasSuffix(name, ".mean") || strings.HasSuffix(name, ".var") || strings.HasSuffix(name, "out.bias") {
				continue
			}
			want, kind := old.tensors["average/"+name], "the file"
			if slices.Contains(c.anew, name) {
				want, kind = own.tensors[tensor], "the seed"
			}
			if len(c.classes) == 3 && slices.Contains(c.anew, name) {
				continue // of another shape
			}
			if !slices.Equal(got.tensors[tensor], want) {
				t.Errorf("%s: %s is not that of %s", name, tensor, kind)
			}
		}
		job.Dir = t.TempDir()
		job.Epochs = 1
		train(t, b, job)
		if log := string(read(t, filepath.Join(job.Dir, "trial.log"))); !strings.Contains(log, "weights from "+path) || !strings.Contains(log, c.log) {
			t.Errorf("%s: log\n%s", name, log)
		}
		p, err := b.Prepare(t.Context())
		if err != nil || !strings.Contains(p.Extra["weights"], c.log) || p.Extra[trials.ExtraWeights] != fmt.Sprintf("%x", sha256.Sum256(read(t, path))) {
			t.Errorf("%s: provenance %q (%v)", name, p.Extra["weights"], err)
		}
	}
}

func TestStartsFromSafetensors(t *testing.T) {
	dir := t.TempDir()
	train(t, backend(t, nil), trainer.Job{Epochs: 1, Dir: dir, Params: trials.Params{"ema": false}})
	own := filepath.Join(dir, "last.ckpt")
	old, path := parse(t, own), filepath.Join(dir, "w.safetensors")
	set := &weights.Set{Tensors: []weights.Tensor{{Name: "num_batches_tracked", Type: weights.Int64, Ints: []int64{7}}}}
	for _, v := range old.head["tensors"].([]any) {
		info := v.(map[string]any)
		name, ok := strings.CutPrefix(info["part"].(string)+"/"+info["name"].(string), "weights/")
		if !ok {
			continue
		}
		w := weights.Tensor{Name: name, Type: weights.Float32, Values: old.tensors["weights/"+name]}
		for _, d := range info["shape"].([]any) {
			w.Shape = append(w.Shape, int(d.(float64)))
		}
		set.Tensors = append(set.Tensors, w)
	}
	if err := weights.WriteSafetensors(path, set); err != nil {
		t.Fatal(err)
	}
	job := trainer.Job{Epochs: 2, Seed: 9}
	a, b := stoppedAfter(t, from(t, own), job, 3), stoppedAfter(t, from(t, path), job, 3)
	for name, same := range equal(a, b, "weights") {
		if !same {
			t.Errorf("%s differs from a start with the checkpoint of the same weights", name)
		}
	}
}

func TestWeightsBelongToTheConfiguration(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	train(t, backend(t, nil), trainer.Job{Epochs: 1, Dir: dir})
	job := trainer.Job{Epochs: 2, Dir: out, Seed: 3}
	b := from(t, filepath.Join(dir, "last.ckpt"))
	whole, _ := train(t, b, trainer.Job{Epochs: 2, Dir: t.TempDir(), Seed: 3})
	var all []trials.Measurement
	keep := func(m trials.Measurement) { all = append(all, m) }
	if _, err := b.Train(&countdown{context.Background(), 5}, job, keep); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	job.Resume, _ = b.Latest(out)
	if _, err := backend(t, nil).Train(t.Context(), job, keep); err == nil || !strings.Contains(err.Error(), "another configuration") {
		t.Errorf("gone on with without the weights: %v", err)
	}
	if _, err := b.Train(t.Context(), job, keep); err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || len(whole) != 2 || metrics(all)[1]["loss/box"] != metrics(whole)[1]["loss/box"] {
		t.Errorf("resumed %v, whole %v", metrics(all), metrics(whole))
	}
}

func TestWeightsThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other.ckpt")
	if err := os.WriteFile(other, sealed(body(`{"version":1,"tensors":[{"part":"weights","name":"a","shape":[5]}]}`, 5)), 0o600); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(dir, "text.ckpt")
	if err := os.WriteFile(text, []byte("weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{filepath.Join(dir, "none.ckpt"): "none.ckpt", other: "another model", text: "no safetensors"} {
		b := from(t, path)
		if _, err := b.Prepare(t.Context()); !errors.Is(err, trainer.ErrNoData) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: Prepare: %v", path, err)
		}
		if _, err := b.Train(t.Context(), trainer.Job{Epochs: 1, Dir: t.TempDir()}, func(trials.Measurement) {}); !errors.Is(err, trainer.ErrNoData) {
			t.Errorf("%s: Train: %v", path, err)
		}
	}
}
