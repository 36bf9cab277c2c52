package native_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

func TestConformance(t *testing.T) {
	trainertest.Test(t, trainertest.Subject{
		New: func(t *testing.T) trainer.Backend { return backend(t, nil) },
		Job: trainer.Job{Params: trials.Params{"lr0": 0.02, "mixup": 0.2, "copy_paste": 0.3, "warmup_epochs": 1.0},
			Epochs: 3, Seed: 5, Data: "scenes", Split: "val", Devices: []string{"cpu"}},
		Objective: "mAP50-95",
		Exact:     true,
		Failing:   trainer.Job{Params: trials.Params{"lr0": 1e6, "clip_norm": 0.0}, Epochs: 3},
		FailClass: trials.ClassDiverged,
	})
}

// train runs a job to its end and returns its measurements.
func train(t *testing.T, b *native.Backend, job trainer.Job) ([]trials.Measurement, trainer.Result) {
	t.Helper()
	if job.Dir == "" {
		job.Dir = t.TempDir()
	}
	var all []trials.Measurement
	res, err := b.Train(t.Context(), job, func(m trials.Measurement) { all = append(all, m) })
	if err != nil {
		t.Fatalf("Train: %v", err)
	}
	return all, res
}

func TestLearns(t *testing.T) {
	all, res := train(t, backend(t, nil), trainer.Job{Params: trials.Params{"mosaic": 0.0, "warmup_epochs": 1}, Epochs: 14})
	first, last := all[0].Metrics, all[len(all)-1].Metrics
	if last["mAP50"] < 0.8 || last["mAP50-95"] < 0.4 {
		t.Errorf("after %d epochs mAP50 is %.3f, mAP50-95 %.3f", len(all), last["mAP50"], last["mAP50-95"])
	}
	for _, name := range []string{"loss/box", "loss/cls", "loss/dfl"} {
		if !(last[name] < 0.8*first[name]) {
			t.Errorf("%s went from %.3f to %.3f", name, first[name], last[name])
		}
	}
	for _, name := range []string{"mAP75", "mAP-small", "AR100", "precision", "recall", "AP/bright", "AP/core", "lr/weights", "lr/bias"} {
		if v, ok := last[name]; !ok || v <= 0 || v > 1 {
			t.Errorf("%s is %v, measured %v", name, v, ok)
		}
	}
	if v, ok := last["mAP-large"]; ok {
		t.Errorf("mAP-large is %v, though no object is large", v)
	}
	if mean := (last["AP/bright"] + last["AP/core"]) / 2; math.Abs(mean-last["mAP50-95"]) > 1e-12 {
		t.Errorf("mean of the classes %v, mAP50-95 %v", mean, last["mAP50-95"])
	}
	for _, name := range []string{"model/parameters", "model/gflops", "time/epoch", "time/image"} {
		if last[name] <= 0 {
			t.Errorf("%s is %v", name, last[name])
		}
	}
	if last["model/parameters"] != first["model/parameters"] || last["time/image"] > last["time/epoch"] {
		t.Errorf("costs of the model %v", last)
	}
	if res.Effective["lr0"] != 0.02 || res.Effective["mosaic"] != 0.0 || len(res.Effective) != len(backend(t, nil).Knobs()) {
		t.Errorf("effective configuration %v", res.Effective)
	}
}

// metrics are the metrics of the epochs, one after the other, without times, which differ from run to run.
func metrics(all []trials.Measurement) []map[string]float64 {
	var ms []map[string]float64
	for _, m := range all {
		named := maps.Clone(m.Metrics)
		maps.DeleteFunc(named, func(k string, _ float64) bool { return strings.HasPrefix(k, "time/") })
		ms = append(ms, named)
	}
	return ms
}

// only keeps the metrics that begin with a prefix.
func only(ms []map[string]float64, prefix string) []map[string]float64 {
	var kept []map[string]float64
	for _, m := range ms {
		m = maps.Clone(m)
		maps.DeleteFunc(m, func(k string, _ float64) bool { return !strings.HasPrefix(k, prefix) })
		kept = append(kept, m)
	}
	return kept
}

func TestScoringLeavesTrainingAlone(t *testing.T) {
	job := trainer.Job{Epochs: 4, Seed: 3}
	often, _ := train(t, backend(t, func(c *native.Config) { c.Load = fewScenes }), job)
	seldom, _ := train(t, backend(t, func(c *native.Config) { c.Load, c.ValEvery = fewScenes, 3 }), job)
	if !reflect.DeepEqual(only(metrics(often), "loss/"), only(metrics(seldom), "loss/")) {
		t.Error("losses depend on how often is scored")
	}
	for i, m := range seldom {
		_, scored := m.Metrics["mAP50-95"]
		if want := i == 2 || i == 3; scored != want {
			t.Errorf("epoch %d scored: %v, want %v", i+1, scored, want)
		}
	}
	if often[3].Metrics["mAP50-95"] != seldom[3].Metrics["mAP50-95"] {
		t.Error("the last score depends on how often is scored")
	}
}

func TestAverageIsWhatIsScored(t *testing.T) {
	run := func(p trials.Params) []map[string]float64 {
		p["mosaic"] = 0.0
		all, _ := train(t, backend(t, nil), trainer.Job{Epochs: 8, Params: p})
		return metrics(all)
	}
	raw := run(trials.Params{"ema": false})
	frozen := run(trials.Params{"ema_decay": 0.999999, "ema_tau": 0.001}) // hardly leaves the initial weights
	if !reflect.DeepEqual(only(raw, "loss/"), only(frozen, "loss/")) {
		t.Error("losses depend on the average")
	}
	if a, b := raw[7]["mAP50"], frozen[7]["mAP50"]; a < 0.3 || b > 0.05 {
		t.Errorf("mAP50 of the weights %.3f, of an average that stands still %.3f", a, b)
	}
}

func TestKnobsThatMustMatter(t *testing.T) {
	losses := func(epochs int, p trials.Params) []map[string]float64 {
		all, _ := train(t, backend(t, func(c *native.Config) { c.Load = fewScenes }), trainer.Job{Epochs: epochs, Params: p})
		return only(metrics(all), "loss/")
	}
	base := losses(1, nil)
	for name, v := range map[string]any{
		"lr0": 0.01, "schedule": "cosine", "momentum": 0.9, "weight_decay": 0.01, "warmup_epochs": 0.5, "warmup_momentum": 0.5,
		"warmup_bias_lr": 0.0, "clip_norm": 0.5, "box": 5.0, "cls": 1.0, "dfl": 1.0, "aux": 0.25, "lrf": 0.5,
		"mosaic": 0.5, "mixup": 0.5, "copy_paste": 0.5, "autoaugment": "randaugment", "hsv": 0.5, "fliplr": 0.5, "flipud": 0.5,
		"scale": 0.3, "translate": 0.1, "close_mosaic": 1, "optimizer": "AdamW", "warmup_floor": 50, "nominal_batch": 64, "freeze": 2,
		"cls_pw": 2.0, "fl_gamma": 1.5, "label_smoothing": 0.1, "tal_topk": 5, "tal_rule": "all", "tal_alpha": 1.0, "tal_beta": 4.0,
	} {
		if reflect.DeepEqual(losses(1, trials.Params{name: v}), base) {
			t.Errorf("%s = %v changes nothing", name, v)
		}
	}
	for name, pair := range map[string][2]trials.Params{
		"the weight of the auxiliary head": {{"aux": 0.25}, {"aux": 0.5}},
		"whose targets it learns":          {{"aux": 0.25}, {"aux": 0.25, "aux_assign": "main"}},
		"flat-cosine":                      {{"schedule": "fixed", "warmup_epochs": 0}, {"schedule": "flat-cosine", "warmup_epochs": 0}},
		"amsgrad":                          {{"optimizer": "AdamW", "lr0": 0.002}, {"optimizer": "AdamW", "lr0": 0.002, "amsgrad": false}},
	} {
		if reflect.DeepEqual(losses(3, pair[0]), losses(3, pair[1])) {
			t.Errorf("%s changes nothing", name)
		}
	}
}

func TestSeedSetsTheWeights(t *testing.T) {
	// One step over all images without augmentation: order moves the loss in the last bits only.
	loss := func(seed int64) float64 {
		all, _ := train(t, backend(t, func(c *native.Config) { c.Batch = 67 }),
			trainer.Job{Epochs: 1, Seed: seed, Params: trials.Params{"mosaic": 0.0, "hsv": 0.0}})
		return all[0].Metrics["loss/box"]
	}
	if a, b := loss(1), loss(2); math.Abs(a-b) < 1e-3 {
		t.Errorf("box losses of two seeds at the first step: %v, %v", a, b)
	}
}

func TestDivergenceIsAFailure(t *testing.T) {
	dir := t.TempDir()
	_, err := backend(t, nil).Train(t.Context(), trainer.Job{Epochs: 3, Dir: dir, Params: trials.Params{"lr0": 1e6, "clip_norm": 0.0, "warmup_epochs": 0}},
		func(m trials.Measurement) {
			for k, v := range m.Metrics {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("epoch %d reports %s = %v", m.Epoch, k, v)
				}
			}
		})
	var f *trainer.Failure
	if !errors.As(err, &f) || f.Class != trials.ClassDiverged {
		t.Fatalf("error %v, want a failure of class diverged", err)
	}
	if !strings.Contains(f.Reason, "epoch ") || !strings.Contains(f.Reason, "step ") || !strings.Contains(f.LogTail, f.Reason) {
		t.Errorf("reason %q, log tail %q", f.Reason, f.LogTail)
	}
}

func TestProgress(t *testing.T) {
	var seen []trainer.Progress
	train(t, backend(t, nil), trainer.Job{Epochs: 2, Progress: func(p trainer.Progress) { seen = append(seen, p) }})
	if len(seen) == 0 {
		t.Fatal("never called")
	}
	for _, p := range seen {
		if p.Epoch < 1 || p.Epoch > 2 || p.Epochs != 2 || p.Step < 1 || p.Step > 8 || p.Steps != 8 || !(p.Loss > 0) {
			t.Errorf("progress %+v", p)
		}
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	leftover := filepath.Join(dir, "last.ckpt.part-123")
	if err := os.WriteFile(leftover, []byte("cut off"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := backend(t, func(c *native.Config) { c.BestMetric, c.ValEvery = "mAP50", 2 })
	_, res := train(t, b, trainer.Job{Epochs: 3, Dir: dir, Number: 12})
	if res.Checkpoint != filepath.Join(dir, "best.ckpt") {
		t.Errorf("checkpoint %q", res.Checkpoint)
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		return string(data)
	}
	log := read("trial.log")
	for _, want := range []string{"trial 12", "epoch 1/3", "epoch 3/3", "mAP50-95", "done"} {
		if !strings.Contains(log, want) {
			t.Errorf("trial.log lacks %q:\n%s", want, log)
		}
	}
	if c := strings.Split(strings.TrimSpace(read("curves.csv")), "\n"); len(c) != 4 || !strings.HasPrefix(c[0], "epoch,loss/box,") || !strings.Contains(c[1], ",,,") {
		t.Errorf("curves.csv:\n%s", strings.Join(c, "\n"))
	}
	for _, want := range []string{`"lr0": 0.02`, `"seed": 0`, `"data_hash": "scenes-1"`} {
		if !strings.Contains(read("effective.json"), want) {
			t.Errorf("effective.json lacks %s", want)
		}
	}
	read("best.ckpt")
	read("last.ckpt")
	if _, err := os.Stat(leftover); !errors.Is(err, os.ErrNotExist) {
		t.Error("the leftover of a killed run is still there")
	}
}

// A loss that falls is lowest in the last epoch and highest in the first.
func TestBestEpoch(t *testing.T) {
	for _, lowest := range []bool{true, false} {
		b := backend(t, func(c *native.Config) { c.BestMetric, c.BestLowest = "loss/cls", lowest })
		_, res := train(t, b, trainer.Job{Epochs: 3})
		best, err := os.ReadFile(res.Checkpoint)
		if err != nil {
			t.Fatal(err)
		}
		last, err := os.ReadFile(filepath.Join(filepath.Dir(res.Checkpoint), "last.ckpt"))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(best, last) != lowest {
			t.Errorf("lowest %v: the best epoch is the last one: %v", lowest, !lowest)
		}
	}
	b := backend(t, nil)
	if _, res := train(t, b, trainer.Job{Epochs: 1}); filepath.Base(res.Checkpoint) != "last.ckpt" {
		t.Errorf("without a best metric: checkpoint %q", res.Checkpoint)
	}
}

func TestPrepare(t *testing.T) {
	// The reference network: 424,922 parameters, 0.114 GFLOP forward and 0.342 in training at 128 px and 5 classes.
	b := backend(t, func(c *native.Config) {
		c.Load = func(ctx context.Context, ref string, o dataset.Options) (*dataset.Dataset, error) {
			d, err := scenes(ctx, ref, o)
			d.Size, d.Classes, d.Notes = 128, []string{"0", "1", "2", "3", "4"}, []string{"a note"}
			return d, err
		}
	})
	p, err := b.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]string{"parameters": "424922", "GFLOP forward per image": "0.1140", "GFLOP training per image": "0.3420", "batch": "8", "model": "gelan-n"} {
		if p.Extra[k] != want {
			t.Errorf("%s is %q, want %q", k, p.Extra[k], want)
		}
	}
	want := trials.DataSource{Name: "scenes", Hash: "scenes-1", Classes: []string{"0", "1", "2", "3", "4"}, Train: 67, Val: 24, Test: 8, Notes: []string{"a note"}}
	if len(p.Data) != 1 || !reflect.DeepEqual(p.Data[0], want) || p.Backend != "native" || p.Extra["instruction set"] == "" {
		t.Errorf("provenance %+v", p)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  native.Config
		is   error
		says string
	}{

		"model":       {native.Config{Data: []string{"x"}, Model: "gelan-x"}, nil, "gelan-n"},
		"no data":     {native.Config{}, trainer.ErrNoData, "data"},
		"size":        {native.Config{Data: []string{"x"}, ImageSize: 100}, nil, "model gelan-n takes multiples of 16, the nearest is 96"},
		"size of t":   {native.Config{Data: []string{"x"}, Model: "gelan-t", ImageSize: 80}, nil, "model gelan-t takes multiples of 32, the nearest is 96"},
		"negative":    {native.Config{Data: []string{"x"}, ImageSize: -16}, nil, "takes multiples of 16, the nearest is 16"},
		"large":       {native.Config{Data: []string{"x"}, ImageSize: 8208}, nil, "model gelan-n takes multiples of 16 up to 8192, the nearest is 8192"},
		"enormous":    {native.Config{Data: []string{"x"}, ImageSize: math.MaxInt}, nil, "up to 8192, the nearest is 8192"},
		"batch":       {native.Config{Data: []string{"x"}, Batch: -1}, nil, "batch"},
		"epochs":      {native.Config{Data: []string{"x"}, Epochs: -1}, nil, "epochs"},
		"split":       {native.Config{Data: []string{"x"}, Split: "dev"}, nil, "val or test"},
		"score every": {native.Config{Data: []string{"x"}, ValEvery: -2}, nil, "at least 1"},
	} {
		_, err := native.New(c.cfg)
		if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestTrainRefuses(t *testing.T) {
	b := backend(t, nil)
	for name, c := range map[string]struct {
		job   trainer.Job
		class string // of a failure
		is    error
		says  string
	}{
		"unknown knob":    {trainer.Job{Params: trials.Params{"lr": 0.1}}, trials.ClassInfeasible, nil, "lr is no knob"},
		"below its range": {trainer.Job{Params: trials.Params{"mixup": -0.1}}, trials.ClassInfeasible, nil, "from 0 to 1"},
		"above its range": {trainer.Job{Params: trials.Params{"mosaic": 1.5}}, trials.ClassInfeasible, nil, "mosaic is 1.5"},
		"not a number":    {trainer.Job{Params: trials.Params{"lr0": math.NaN()}}, trials.ClassInfeasible, nil, "lr0 is NaN"},
		"text":            {trainer.Job{Params: trials.Params{"box": "high"}}, trials.ClassInfeasible, nil, "box is high"},
		"broken number":   {trainer.Job{Params: trials.Params{"close_mosaic": 1.5}}, trials.ClassInfeasible, nil, "whole number"},
		"choice":          {trainer.Job{Params: trials.Params{"schedule": "step"}}, trials.ClassInfeasible, nil, "linear, cosine"},
		"gpu":             {trainer.Job{Devices: []string{"cuda:1"}}, "", trainer.ErrNoDevice, "cuda:1"},
		"other data":      {trainer.Job{Data: "builtin:trees"}, "", trainer.ErrNoData, "scenes"},
		"other split":     {trainer.Job{Split: "dev"}, "", trainer.ErrNoData, "dev"},
		"no checkpoint":   {trainer.Job{Resume: filepath.Join(t.TempDir(), "none.ckpt")}, "", os.ErrNotExist, "none.ckpt"},
		"no directory":    {trainer.Job{Dir: filepath.Join(t.TempDir(), "none")}, "", os.ErrNotExist, "trial log"},
	} {
		if c.job.Dir == "" {
			c.job.Dir = t.TempDir()
		}
		_, err := b.Train(t.Context(), c.job, func(trials.Measurement) {})
		var f *trainer.Failure
		switch {
		case err == nil || !strings.Contains(err.Error(), c.says):
			t.Errorf("%s: error %v, want %q in it", name, err, c.says)
		case c.class != "" && (!errors.As(err, &f) || f.Class != c.class):
			t.Errorf("%s: error %v, want a failure of class %s", name, err, c.class)
		case c.is != nil && !errors.Is(err, c.is):
			t.Errorf("%s: error %v, want %v", name, err, c.is)
		}
	}
}

func TestDataThatCannotBeTrainedOn(t *testing.T) {
	for name, change := range map[string]func(*dataset.Dataset){
		"no training images": func(d *dataset.Dataset) { d.Train = nil },
		"no images to score": func(d *dataset.Dataset) { d.Val = nil },
		"no objects to score": func(d *dataset.Dataset) {
			for i := range d.Val {
				d.Val[i].Boxes = nil
			}
		},
		"less than a batch": func(d *dataset.Dataset) { d.Train = d.Train[:5] },
	} {
		b := backend(t, func(c *native.Config) {
			c.Load = func(ctx context.Context, ref string, o dataset.Options) (*dataset.Dataset, error) {
				d, err := scenes(ctx, ref, o)
				change(d)
				return d, err
			}
		})
		if _, err := b.Prepare(t.Context()); !errors.Is(err, trainer.ErrNoData) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestTestSplit(t *testing.T) {
	val, _ := train(t, backend(t, nil), trainer.Job{Epochs: 6, Params: trials.Params{"mosaic": 0.0}})
	test, _ := train(t, backend(t, nil), trainer.Job{Epochs: 6, Params: trials.Params{"mosaic": 0.0}, Split: "test"})
	a, b := metrics(val)[5], metrics(test)[5]
	if a["loss/cls"] != b["loss/cls"] || a["mAP50"] == b["mAP50"] {
		t.Errorf("val: class loss %v, mAP50 %v; test: %v, %v", a["loss/cls"], a["mAP50"], b["loss/cls"], b["mAP50"])
	}
}

func TestBestF1(t *testing.T) {
	// Class 0 has 4 objects; by falling score: found, found, false, found. Precision 1, 1, 2/3, 3/4 at recall
	// 1/4, 1/2, 1/2, 3/4: F1 is best at the end, 3/4. Class 1 is found at once, class 2 has no object.
	at := func(x float64) evaluate.Box { return evaluate.Corners(x, 0, x+10, 10) }
	var gt []evaluate.GroundTruth
	for i := range 4 {
		gt = append(gt, evaluate.Truth(0, 0, at(float64(20*i))))
	}
	gt = append(gt, evaluate.Truth(0, 1, at(0)))
	dt := []evaluate.Detection{
		{Class: 0, Box: at(0), Score: 0.9}, {Class: 0, Box: at(20), Score: 0.8}, {Class: 0, Box: at(500), Score: 0.7},
		{Class: 0, Box: at(40), Score: 0.6}, {Class: 1, Box: at(0), Score: 0.5}, {Class: 2, Box: at(0), Score: 0.9},
	}
	p, r := native.BestF1(evaluate.COCO(gt, dt, 1, 3), 3)
	if math.Abs(p-(0.75+1)/2) > 1e-9 || math.Abs(r-(0.75+1)/2) > 1e-9 {
		t.Errorf("precision %v, recall %v, want 0.875 both", p, r)
	}
	if p, r := native.BestF1(evaluate.COCO(nil, dt, 1, 3), 3); p != evaluate.Undefined || r != evaluate.Undefined {
		t.Errorf("without objects precision %v, recall %v", p, r)
	}
}

func TestKnobNames(t *testing.T) {
	want := strings.Fields(`lr0 lrf schedule optimizer amsgrad momentum weight_decay warmup_epochs warmup_floor warmup_momentum warmup_bias_lr clip_norm
		nominal_batch freeze box cls dfl cls_pw fl_gamma label_smoothing tal_topk tal_alpha tal_beta tal_rule aux aux_assign ema ema_decay ema_tau
		mosaic mixup copy_paste mosaic9 mosaic_layout copy_paste_polygons autoaugment randaugment_geometry autoaugment_geometry randaugment_n randaugment_m
		hsv hsv_mode hsv_h hsv_s hsv_v fliplr flipud scale translate degrees shear perspective multi_scale keep_area keep_side close_mosaic sync_bn patience patience_metric val_interval`)
	var got []string
	for _, k := range backend(t, nil).Knobs() {
		got = append(got, k.Name)
		if k.Name == "mixup" && k.Requires["mosaic"] == nil {
			t.Error("mixup does not say that it needs mosaic")
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("knobs %v, want %v", got, want)
	}
}
