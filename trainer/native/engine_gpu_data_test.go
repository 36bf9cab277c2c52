package native_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/datasettest"
	"github.com/mapsweep/mapsweep/trainer/dataset/stream"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trials"
)

// dot is a picture of 32 pixels with one bright rectangle, which has an outline.
func dot(n int) dataset.Image {
	const side = 32
	r := stream.New(9, 0, n, 0)
	m := dataset.Image{Name: fmt.Sprint("dot-", n), W: side, H: side, Pix: make([]uint8, 3*side*side)}
	x, y, w, h := 2+r.IntN(10), 2+r.IntN(10), 8+r.IntN(8), 8+r.IntN(8)
	for i := range m.Pix {
		m.Pix[i] = uint8(90 + r.IntN(60))
		if u, v := i/3%side, i/3/side; u >= x && u < x+w && v >= y && v < y+h {
			m.Pix[i] = uint8(200 + r.IntN(50))
		}
	}
	b := dataset.Box{Class: n % 2, X0: float32(x), Y0: float32(y), X1: float32(x + w), Y1: float32(y + h)}
	m.Boxes, m.Outlines = []dataset.Box{b}, []dataset.Outline{{{b.X0, b.Y0, b.X1, b.Y0, b.X1, b.Y1, b.X0, b.Y1}}}
	return m
}

// dots is a data set of 7 training and 5 validation pictures.
func dots(context.Context, string, dataset.Options) (*dataset.Dataset, error) {
	d := &dataset.Dataset{Name: "dots", Classes: []string{"a", "b"}, Size: 32, Hash: "dots-1"}
	for i := range 12 {
		if i < 7 {
			d.Train = append(d.Train, dot(i))
		} else {
			d.Val = append(d.Val, dot(i))
		}
	}
	return d, nil
}

// dotted is a backend that trains on dots on the GPU in batches of two, three steps an epoch. When the last of them is
// shut, the GPU has all of its memory back.
func dotted(t *testing.T, change func(*native.Config)) *native.Backend {
	t.Helper()
	b := someDotted(t, change)
	dottedAlive++
	t.Cleanup(func() {
		shut(t, b)
		if users := native.Shelved(b); len(users) > 0 {
			t.Errorf("pictures stay on the GPU for %d runs", users)
		}
		if dottedAlive--; dottedAlive > 0 {
			return
		}
		g, err := cuda.Open(0)
		if err != nil {
			t.Fatal(err)
		}
		if free, total, err := g.Memory(); err != nil || !emulator.Real() && free != total {
			t.Errorf("%d of %d bytes are free after all, %v", free, total, err)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// dottedAlive is how many backends of dotted are not shut.
var dottedAlive int

// someDotted is the same beside others.
func someDotted(t *testing.T, change func(*native.Config)) *native.Backend {
	t.Helper()
	return onEmulator(t, func(c *native.Config) {
		c.Load, c.Batch = dots, 2
		if change != nil {
			change(c)
		}
	})
}

// outcome is what a run measured and left.
type outcome struct {
	metrics    []map[string]float64
	checkpoint []byte
	matches    []byte
	log        string
}

func outcomeOf(t *testing.T, b *native.Backend, job trainer.Job) outcome {
	t.Helper()
	if job.Dir == "" {
		job.Dir = t.TempDir()
	}
	all, res := train(t, b, job)
	return outcome{metrics(all), read(t, filepath.Join(job.Dir, "last.ckpt")), res.Artifacts[0].Data, string(read(t, filepath.Join(job.Dir, "trial.log")))}
}

// alike fails where two runs differ: by a bit in the emulator, or on a GPU by more than pictures do that are off by a level.
func alike(t *testing.T, what string, got, want outcome) {
	t.Helper()
	for _, ms := range [][]map[string]float64{got.metrics, want.metrics} {
		for _, m := range ms {
			delete(m, "gpu/memory-mib")
		}
	}
	if !emulator.Real() {
		if !reflect.DeepEqual(got.metrics, want.metrics) || !bytes.Equal(got.checkpoint, want.checkpoint) || !bytes.Equal(got.matches, want.matches) {
			t.Errorf("%s: another run: %v, want %v", what, got.metrics, want.metrics)
		}
		return
	}
	for i, m := range want.metrics {
		for name, v := range m {
			if strings.HasPrefix(name, "loss/") && math.Abs(got.metrics[i][name]-v) > 0.01*v {
				t.Errorf("%s: epoch %d, %s: %g, want %g", what, i+1, name, got.metrics[i][name], v)
			}
		}
	}
}

const (
	madeHere  = "pictures of batches are made on the GPU, of the 7 training images that lie there"
	madeOnCPU = "pictures of batches are made on the CPU: "
)

// A run whose pictures the GPU makes is the run that gets them from the CPU.
func TestGPUMakesPictures(t *testing.T) {
	for name, c := range map[string]struct {
		params  trials.Params
		loaders int
	}{
		"as they are":       {nil, 0},
		"colours and crops": {trials.Params{"mixup": 0.5, "copy_paste": 0.5, "mosaic9": 0.5, "fliplr": 0.5, "scale": 0.4, "translate": 0.1, "close_mosaic": 1}, 1},
		"at several scales": {trials.Params{"multi_scale": 0.9, "degrees": 10.0, "hsv_mode": "hsv"}, 3},
		"by other programs": {trials.Params{"autoaugment": "randaugment", "randaugment_n": 3, "randaugment_geometry": true, "mosaic": 0.0}, 2},
		"polygons mirrored": {trials.Params{"copy_paste_polygons": 1.0, "mosaic_layout": "whole"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			load := func(cfg *native.Config) { cfg.Loaders = &c.loaders }
			job := trainer.Job{Epochs: 2, Seed: 4, Params: c.params}
			given := dotted(t, load)
			native.Pictured(given)
			want := outcomeOf(t, given, job)
			got := outcomeOf(t, dotted(t, load), job)
			if !strings.Contains(got.log, madeHere) || strings.Contains(want.log, "pictures") {
				t.Errorf("logs\n%s\n%s", got.log, want.log)
			}
			alike(t, "made on the GPU", got, want)
		})
	}
}

// A run that goes on within an epoch, was stopped while it was scored, or while its data was on the way, is the uninterrupted one.
func TestGPUResumesWithRecipes(t *testing.T) {
	job := trainer.Job{Epochs: 3, Seed: 6, Params: trials.Params{"close_mosaic": 1, "multi_scale": 0.9, "nominal_batch": 4, "warmup_epochs": 1.0}}
	want := outcomeOf(t, dotted(t, nil), job)
	for line, asked := range map[string]int{"stopped at epoch 1, after step 0 of 3": 0, "stopped at epoch 1, after step 3 of 3": 6, "stopped at epoch 2, after step 1 of 3": 9} {
		b, broken := dotted(t, nil), job
		broken.Dir = t.TempDir()
		var all []trials.Measurement
		keep := func(m trials.Measurement) { all = append(all, m) }
		if _, err := b.Train(&countdown{context.Background(), asked}, broken, keep); !errors.Is(err, context.Canceled) {
			t.Fatalf("Train returned %v", err)
		}
		if log := string(read(t, filepath.Join(broken.Dir, "trial.log"))); !strings.Contains(log, line) {
			t.Errorf("want %q in the log:\n%s", line, log)
		}
		broken.Resume, _ = b.Latest(broken.Dir)
		before := metrics(all)
		got := outcomeOf(t, b, broken)
		got.metrics = append(before, got.metrics...)
		alike(t, line, got, want)
	}
}

// Two trials at once share what lies on the GPU, and each is what it is alone.
func TestGPUTrialsShareData(t *testing.T) {
	jobs := []trainer.Job{{Epochs: 2, Seed: 1}, {Epochs: 2, Seed: 2, Params: trials.Params{"mosaic": 0.5, "lr0": 0.005}}}
	var alone []outcome
	for _, job := range jobs {
		alone = append(alone, outcomeOf(t, dotted(t, nil), job))
	}
	b := dotted(t, nil)
	both, together := make(chan int, 2), make([]outcome, 2)
	meet := make(chan struct{})
	go func() {
		<-both
		<-both
		if users := native.Shelved(b); !slices.Equal(users, []int{2, 2}) {
			t.Errorf("users of pictures %v, want two sets with two each", users)
		}
		close(meet)
	}()
	done := make(chan error, 2)
	for i, job := range jobs {
		job.Dir = t.TempDir()
		go func() {
			var all []trials.Measurement
			res, err := b.Train(t.Context(), job, func(m trials.Measurement) {
				if all = append(all, m); len(all) == 1 {
					both <- i
					<-meet
				}
			})
			if err == nil {
				together[i] = outcome{metrics: metrics(all), matches: res.Artifacts[0].Data}
				together[i].checkpoint, err = os.ReadFile(filepath.Join(job.Dir, "last.ckpt"))
			}
			if err != nil && len(all) == 0 {
				both <- i
			}
			done <- err
		}()
	}
	if err := errors.Join(<-done, <-done); err != nil {
		t.Fatal(err)
	}
	for i := range jobs {
		alike(t, fmt.Sprint("trial ", i), together[i], alone[i])
	}
}

// Where only one trial and the data fit the GPU, the second waits, and has the data there as well.
func TestGPUTrialsAndTheirDataWait(t *testing.T) {
	if emulator.Real() {
		t.Skip("a GPU's memory cannot be chosen")
	}
	jobs := []trainer.Job{{Epochs: 1, Seed: 1}, {Epochs: 1, Seed: 2}}
	roomy := dotted(t, nil)
	bytes := native.Held(roomy)
	var alone, together [2][]byte
	for i, job := range jobs {
		alone[i] = last(t, roomy, job)
	}
	shut(t, roomy)
	const data = 12 * 32 * 32 * 3
	t.Setenv("FAKE_CUDA_MEMORY", fmt.Sprint((bytes()+data+1000)*32/31))
	b := dotted(t, nil)
	var both sync.WaitGroup
	for i := range jobs {
		jobs[i].Dir = t.TempDir()
		both.Go(func() { together[i] = last(t, b, jobs[i]) })
	}
	both.Wait()
	for i, job := range jobs {
		if log := string(read(t, filepath.Join(job.Dir, "trial.log"))); !strings.Contains(log, madeHere) || strings.Contains(log, "batch by batch") {
			t.Errorf("trial %d:\n%s", i, log)
		}
		if !slices.Equal(alone[i], together[i]) {
			t.Errorf("trial %d has another checkpoint", i)
		}
	}
}

// Where the data set does not fit the GPU, or its kernels not the settings, pictures come from the CPU and the log says why.
func TestGPUWithoutRoomForData(t *testing.T) {
	if emulator.Real() {
		t.Skip("a GPU's memory cannot be chosen")
	}
	job := trainer.Job{Epochs: 2, Seed: 5}
	roomy := dotted(t, nil)
	bytes := native.Held(roomy)
	want := outcomeOf(t, roomy, job)
	greedy := dotted(t, nil)
	native.Greedy(greedy)
	got := outcomeOf(t, greedy, job)
	if !strings.Contains(got.log, madeOnCPU+"no kernels for these settings: randaugment_n is 21") {
		t.Errorf("log\n%s", got.log)
	}
	alike(t, "settings without kernels", got, want)
	shut(t, roomy)
	shut(t, greedy)

	const spare = 10_000                                            // less than either split takes
	t.Setenv("FAKE_CUDA_MEMORY", fmt.Sprint((bytes()+spare)*32/31)) // a part in 32 is kept back
	got = outcomeOf(t, dotted(t, nil), job)
	for _, line := range []string{madeOnCPU + "keep 7 images of train (0 MiB) on GPU 0: ",
		"images that are scored come to the GPU batch by batch: keep 5 images of val (0 MiB) on GPU 0: "} {
		if !strings.Contains(got.log, line) {
			t.Errorf("want %q in the log:\n%s", line, got.log)
		}
	}
	alike(t, "without room", got, want)
}

// Pictures that are not kept in RAM are read once, as the run begins.
func TestGPUReadsStreamedDataOnce(t *testing.T) {
	d, err := dots(t.Context(), "", dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	root := datasettest.WriteYOLO(t, d.Classes, d.Train, d.Val)
	streamed := func(c *native.Config) {
		c.Data, c.Load, c.Cache, c.ImageSize, c.Threads = []string{root}, dataset.Load, 1, 32, 2
	}
	kept := func(c *native.Config) { c.Data, c.Load, c.ImageSize = []string{root}, dataset.Load, 32 }
	job := trainer.Job{Epochs: 2, Seed: 8, Dir: t.TempDir()}
	want := outcomeOf(t, dotted(t, kept), trainer.Job{Epochs: 2, Seed: 8})
	var all []trials.Measurement
	res, err := dotted(t, streamed).Train(t.Context(), job, func(m trials.Measurement) {
		if all = append(all, m); len(all) == 1 {
			if err := os.RemoveAll(filepath.Join(root, "images")); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	got := outcome{metrics(all), read(t, filepath.Join(job.Dir, "last.ckpt")), res.Artifacts[0].Data, ""}
	alike(t, "streamed", got, want)
}

// What the GPU finds is what the host finds in the outputs, which it does where there is no room for all candidates.
func TestGPUFindsWhatTheHostFinds(t *testing.T) {
	some := func(c *native.Config) {
		c.Load = func(ctx context.Context, ref string, opts dataset.Options) (*dataset.Dataset, error) {
			d, err := scenes(ctx, ref, opts)
			d.Train, d.Val = d.Train[:4], d.Val[:5]
			return d, err
		}
	}
	job := trainer.Job{Epochs: 1, Seed: 3}
	roomy, few := dotted(t, some), dotted(t, some)
	enough, exceeded := native.FewCandidates(roomy, 1<<20), native.FewCandidates(few, 4)
	want := outcomeOf(t, roomy, job)
	alike(t, "found by the host", outcomeOf(t, few, job), want)
	if m := want.metrics[0]; m["AR100"] == 0 || enough() || !exceeded() {
		t.Errorf("measured %v; candidates exceed the room: %v, with little of it %v", m, enough(), exceeded())
	}
}

// Recipes with more polygons than was reckoned get more room.
func TestGPUMakesRoomForPolygons(t *testing.T) {
	job := trainer.Job{Epochs: 2, Seed: 3, Params: trials.Params{"copy_paste_polygons": 1.0}}
	want := outcomeOf(t, dotted(t, nil), job)
	narrow := dotted(t, nil)
	native.NoPolygons(narrow)
	alike(t, "with little room at first", outcomeOf(t, narrow, job), want)
}

// The audit and the estimate work on the GPU, the audit with the CPU's pictures.
func TestGPUTraceAndProbe(t *testing.T) {
	job := trainer.Job{Epochs: 3, Seed: 3}
	traced := func(b *native.Backend) trainer.Trace {
		all, err := b.Trace(t.Context(), []trainer.Job{job}, trainer.TraceOptions{Steps: 2})
		if err != nil {
			t.Fatal(err)
		}
		return all[0]
	}
	b := dotted(t, nil)
	here, there := traced(backend(t, func(c *native.Config) { c.Load, c.Batch = dots, 2 })), traced(b)
	for i := range here.Steps {
		if a, b := here.Steps[i].Hashes[trainer.ChannelInput], there.Steps[i].Hashes[trainer.ChannelInput]; a != b {
			t.Errorf("step %d: input %s, on the CPU %s", i, b, a)
		}
	}
	if e, err := b.Probe(t.Context(), job); err != nil || e.Seconds <= 0 {
		t.Errorf("%+v, %v", e, err)
	}
}
