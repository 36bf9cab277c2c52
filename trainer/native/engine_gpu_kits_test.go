package native_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trials"
)

// Runs that follow each other in one backend, with settings that a study varies, have the bits of runs in backends of their own, and
// all but the first of a key use the kit of the one before.
func TestGPUKitsServe(t *testing.T) {
	for name, all := range map[string][]trials.Params{
		"rates, losses and pictures": {
			nil,
			{"lr0": 0.005, "lrf": 0.1, "momentum": 0.9, "weight_decay": 0.01, "clip_norm": 1.0, "warmup_epochs": 1.0, "ema_decay": 0.9, "freeze": 1},
			{"box": 4.0, "cls": 1.0, "dfl": 1.0, "cls_pw": 2.0, "fl_gamma": 1.5, "label_smoothing": 0.1, "tal_alpha": 1.0, "tal_beta": 4.0},
			{"autoaugment": "randaugment", "mosaic": 0.0, "fliplr": 0.5, "scale": 0.3},
			{"hsv": 0.5, "degrees": 10.0},
			nil,
		},
		"AdamW at several scales, sums": {
			{"optimizer": "AdamW", "lr0": 0.001, "multi_scale": 0.9, "nominal_batch": 4},
			{"optimizer": "AdamW", "lr0": 0.002, "multi_scale": 0.9, "nominal_batch": 4, "momentum": 0.8, "dfl": 3.0},
		},
		"an auxiliary head, no average": {{"aux": 0.25, "ema": false}, {"aux": 0.75, "ema": false, "cls": 1.0}},
	} {
		t.Run(name, func(t *testing.T) {
			b := dotted(t, nil)
			kits := native.Kits(b, time.Hour)
			for i, params := range all {
				job := trainer.Job{Epochs: 1, Seed: int64(i + 1), Params: params}
				got := outcomeOf(t, b, job)
				fresh := someDotted(t, nil)
				alike(t, fmt.Sprint(params), got, outcomeOf(t, fresh, job))
				shut(t, fresh)
			}
			if taken, idle := kits(); taken != len(all)-1 || idle != 1 {
				t.Errorf("%d of %d runs had the kit of another; %d are idle", taken, len(all), idle)
			}
		})
	}
}

// Two runs at once have a kit each, which two others take when they have ended; each run is what it is alone.
func TestGPUKitsServeSideBySide(t *testing.T) {
	b := dotted(t, nil)
	kits := native.Kits(b, time.Hour)
	for round := range 2 {
		var together [2]outcome
		var both, begun sync.WaitGroup
		begun.Add(2)
		jobs := [2]trainer.Job{}
		for i := range jobs {
			jobs[i] = trainer.Job{Epochs: 2, Seed: int64(3*round + i), Dir: t.TempDir(), Params: trials.Params{"lr0": 0.01 * float64(1+i+round), "mosaic": 0.5 * float64(i)}}
			both.Go(func() {
				first := sync.OnceFunc(func() { begun.Done(); begun.Wait() })
				var all []trials.Measurement
				res, err := b.Train(t.Context(), jobs[i], func(m trials.Measurement) { all = append(all, m); first() })
				if err != nil {
					t.Error(err)
					begun.Done()
					return
				}
				together[i] = outcome{metrics: metrics(all), matches: res.Artifacts[0].Data}
			})
		}
		both.Wait()
		for i, job := range jobs {
			together[i].checkpoint = read(t, filepath.Join(job.Dir, "last.ckpt"))
			job.Dir = ""
			fresh := someDotted(t, nil)
			alike(t, fmt.Sprintf("round %d, run %d", round, i), together[i], outcomeOf(t, fresh, job))
			shut(t, fresh)
		}
	}
	if taken, idle := kits(); taken != 2 || idle != 2 {
		t.Errorf("%d runs had the kit of another; %d are idle", taken, idle)
	}
}

// Of a run that was stopped the kit is kept, of one that failed it is not; the next has the bits of any other.
func TestGPUKitsOfRunsThatEndEarly(t *testing.T) {
	b := dotted(t, nil)
	kits := native.Kits(b, time.Hour)
	job := trainer.Job{Epochs: 2, Seed: 7}
	want := outcomeOf(t, b, job)
	again := func(what string, taken, idle int) {
		t.Helper()
		if n, m := kits(); n != taken || m != idle {
			t.Errorf("%s: %d runs had the kit of another and %d are idle, want %d and %d", what, n, m, taken, idle)
		}
		alike(t, what, outcomeOf(t, b, job), want)
	}
	stopped := job
	stopped.Dir = t.TempDir()
	if _, err := b.Train(&countdown{context.Background(), 9}, stopped, func(trials.Measurement) {}); !errors.Is(err, context.Canceled) {
		t.Fatalf("Train returned %v", err)
	}
	again("after a run that was stopped", 1, 1)
	failed := job
	failed.Dir, failed.Params = t.TempDir(), trials.Params{"lr0": 1e6, "warmup_epochs": 0.0, "clip_norm": 0.0}
	var f *trainer.Failure
	if _, err := b.Train(t.Context(), failed, func(trials.Measurement) {}); !errors.As(err, &f) || f.Class != trials.ClassDiverged {
		t.Fatalf("Train returned %v", err)
	}
	again("after a run that failed", 3, 0)
	again("after one that did not", 3, 1)
}

// A kit gives way to a run of another key that needs its memory, and no more are kept than runs there ever were at once.
func TestGPUKitsGiveWay(t *testing.T) {
	if emulator.Real() {
		t.Skip("a GPU's memory cannot be chosen")
	}
	other := trials.Params{"optimizer": "LION", "lr0": 0.0005}
	roomy := dotted(t, nil)
	kits, bytes := native.Kits(roomy, time.Hour), native.Held(roomy)
	var want []outcome
	for i, params := range []trials.Params{nil, other, nil} {
		want = append(want, outcomeOf(t, roomy, trainer.Job{Epochs: 1, Seed: int64(i), Params: params}))
	}
	if taken, idle := kits(); taken != 0 || idle != 1 {
		t.Errorf("%d runs had the kit of another; %d are idle", taken, idle)
	}
	shut(t, roomy)
	const data = 12 * 32 * 32 * 3
	t.Setenv("FAKE_CUDA_MEMORY", fmt.Sprint((bytes()+data+1000)*32/31))
	b := dotted(t, nil)
	for i, params := range []trials.Params{nil, other, nil} {
		got := outcomeOf(t, b, trainer.Job{Epochs: 1, Seed: int64(i), Params: params})
		if !strings.Contains(got.log, madeHere) {
			t.Errorf("run %d:\n%s", i, got.log)
		}
		alike(t, fmt.Sprint("run ", i), got, want[i])
	}
}

// A kit that no run takes in time gives its memory back.
func TestGPUKitsAreNotKeptForever(t *testing.T) {
	b := dotted(t, nil)
	kits := native.Kits(b, time.Millisecond)
	outcomeOf(t, b, trainer.Job{Epochs: 1, Seed: 1})
	for start := time.Now(); cuda.Held(0) > 0; time.Sleep(time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatalf("%d bytes are held", cuda.Held(0))
		}
	}
	if _, idle := kits(); idle != 0 {
		t.Errorf("%d are idle", idle)
	}
}

// A kit that fails to close fails no trial that ends, or that needs its memory: the log has it.
func TestGPUKitsThatBreak(t *testing.T) {
	if emulator.Real() {
		t.Skip("a GPU's memory cannot be chosen")
	}
	var log bytes.Buffer
	b := someDotted(t, func(c *native.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	kits, held := native.Kits(b, time.Hour), native.Held(b)
	native.BreakKits(b)
	other := trials.Params{"optimizer": "LION", "lr0": 0.0005}
	for i, params := range []trials.Params{other, nil, other} { // the second one's kit is one too many, and goes for the third one
		outcomeOf(t, b, trainer.Job{Epochs: 1, Seed: int64(i), Params: params})
		if n := strings.Count(log.String(), "was not given back in order"); n != i || strings.Count(log.String(), "because=broken") != i {
			t.Errorf("run %d: the log has %d errors\n%s", i, n, log.String())
		}
		if i == 1 {
			t.Setenv("FAKE_CUDA_MEMORY", fmt.Sprint((held()+12*32*32*3+1000)*32/31))
		}
	}
	if taken, idle := kits(); taken != 0 || idle != 1 {
		t.Errorf("%d runs had the kit of another; %d are idle", taken, idle)
	}
	if err := b.Close(); err == nil {
		t.Error("the last kit was not broken")
	}
}

// A kit with room for more objects, but not for the feed of a run whose recipes have polygons, does not serve it. One that has serves
// it, and runs without polygons.
func TestGPUKitsHaveRoomForPolygons(t *testing.T) {
	b := dotted(t, func(c *native.Config) {
		c.Load = func(ctx context.Context, ref string, o dataset.Options) (*dataset.Dataset, error) {
			d, err := dots(ctx, ref, o)
			for i := range d.Train {
				for p, at := d.Train[i].Outlines[0], 0; len(p[0]) < 100; at++ { // corners along its sides
					p[0] = append(p[0], p[0][2*(at%4)], p[0][2*(at%4)+1])
				}
			}
			return d, err
		}
	})
	kits := native.Kits(b, time.Hour)
	objects, polygons := trials.Params{"mosaic9": 0.5, "mixup": 0.5, "copy_paste": 0.5}, trials.Params{"copy_paste_polygons": 1.0}
	for i, c := range []struct {
		params trials.Params
		taken  int
	}{{objects, 0}, {polygons, 0}, {polygons, 1}, {nil, 2}} {
		got := outcomeOf(t, b, trainer.Job{Epochs: 1, Seed: int64(i), Params: c.params})
		if taken, _ := kits(); taken != c.taken || !strings.Contains(got.log, madeHere) {
			t.Errorf("run %d: %d runs had the kit of another, want %d\n%s", i, taken, c.taken, got.log)
		}
	}
}

// twoSets are dots by two names.
func twoSets(c *native.Config) {
	c.Data = []string{"dots", "others"}
	c.Load = func(ctx context.Context, ref string, o dataset.Options) (*dataset.Dataset, error) {
		d, err := dots(ctx, ref, o)
		d.Hash = ref
		return d, err
	}
}

// A kit gives way to the pictures of another data set, too.
func TestGPUKitsGiveWayToPictures(t *testing.T) {
	if emulator.Real() {
		t.Skip("a GPU's memory cannot be chosen")
	}
	roomy := dotted(t, twoSets)
	bytes := native.Held(roomy)
	want := outcomeOf(t, roomy, trainer.Job{Epochs: 1, Seed: 1})
	shut(t, roomy)
	const data = 12 * 32 * 32 * 3
	t.Setenv("FAKE_CUDA_MEMORY", fmt.Sprint((bytes()+data+1000)*32/31))
	b := dotted(t, twoSets)
	for _, ref := range []string{"dots", "others", "dots"} {
		got := outcomeOf(t, b, trainer.Job{Epochs: 1, Seed: 1, Data: ref})
		if !strings.Contains(got.log, madeHere) {
			t.Errorf("%s:\n%s", ref, got.log)
		}
		if ref == "dots" { // a checkpoint knows its data set
			alike(t, ref, got, want)
		}
	}
}

// The audit and the estimate use kits, too, and leave them; a run whose pictures the CPU makes can use that of one whose GPU does.
func TestGPUKitsOfOtherUses(t *testing.T) {
	b := dotted(t, nil)
	kits := native.Kits(b, time.Hour)
	job := trainer.Job{Epochs: 1, Seed: 3}
	traced := traces(t, b, []trainer.Job{job})[0]
	if _, err := b.Probe(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	got, again := outcomeOf(t, b, job), traces(t, b, []trainer.Job{job})[0]
	native.Pictured(b)
	pictured := outcomeOf(t, b, job)
	if taken, idle := kits(); taken != 4 || idle != 1 {
		t.Errorf("%d runs had the kit of another; %d are idle", taken, idle)
	}
	fresh := someDotted(t, nil)
	want := outcomeOf(t, fresh, job)
	alike(t, "after a trace and a probe", got, want)
	alike(t, "by the CPU's pictures", pictured, want)
	if a, b := fmt.Sprint(traced.Steps), fmt.Sprint(again.Steps); a != b {
		t.Errorf("traces differ:\n%s\n%s", a, b)
	}
}
