package native_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trials"
)

// resumable is a job in which every kind of state matters: auxiliary head, average, warm-up over
// the break, mosaic closed late, scores not in every epoch, a best epoch (of a metric that falls) long ago.
func resumable(t *testing.T) (*native.Backend, trainer.Job) {
	b := backend(t, func(c *native.Config) { c.ValEvery, c.BestMetric = 2, "loss/cls" })
	return b, trainer.Job{Epochs: 5, Seed: 11, Dir: t.TempDir(),
		Params: trials.Params{"aux": 0.25, "warmup_epochs": 3.5, "mixup": 0.3, "copy_paste": 0.3, "close_mosaic": 1, "ema_tau": 20}}
}

// countdown is a context that ends after it has been asked so many times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// others are knobs that bring state of their own or act on it: moments and peaks of AdamW, gradients summed over batches
// in the middle of an epoch, frozen layers, patience that has waited, batches of other sizes.
var others = trials.Params{"optimizer": "AdamW", "lr0": 0.002, "warmup_bias_lr": 0.01, "nominal_batch": 24, "warmup_epochs": 1.5, "warmup_floor": 5, "schedule": "flat-cosine",
	"freeze": 2, "label_smoothing": 0.05, "cls_pw": 1.5, "fl_gamma": 0.2, "tal_topk": 13, "tal_rule": "all", "tal_alpha": 1.0, "tal_beta": 4.0, "aux_assign": "main", "patience": 4, "val_interval": 2,
	"multi_scale": 0.5}

func TestResumedRunIsTheUninterruptedOne(t *testing.T) {
	for kind, params := range map[string]trials.Params{
		"SGD": nil, "all knobs": others,
	} {
		b, job := resumable(t)
		job.Params = job.Params.With(params)
		whole, _ := train(t, b, job)
		for name, c := range map[string]struct {
			asked int    // steps and other looks at the context before it ends
			line  string // of the log: where it stopped
		}{
			"between two epochs": {19, "stopped at epoch 3, after step 0 of 8"},
			"while scoring":      {17, "stopped at epoch 2, after step 8 of 8"},
			"inside the second":  {13, "stopped at epoch 2, after step 5 of 8"},
			"inside the first":   {3, "stopped at epoch 1, after step 3 of 8"},
			"after two batches":  {10, "stopped at epoch 2, after step 2 of 8"},
		} {
			if kind != "SGD" && name != "between two epochs" && name != "inside the second" {
				continue
			}
			t.Run(kind+" "+name, func(t *testing.T) {
				b, broken := resumable(t)
				broken.Params = broken.Params.With(params)
				var all []trials.Measurement
				keep := func(m trials.Measurement) { all = append(all, m) }
				if _, err := b.Train(&countdown{context.Background(), c.asked}, broken, keep); !errors.Is(err, context.Canceled) {
					t.Fatalf("Train returned %v", err)
				}
				if log := string(read(t, filepath.Join(broken.Dir, "trial.log"))); !strings.Contains(log, c.line) {
					t.Fatalf("want %q in the log:\n%s", c.line, log)
				}
				path, epoch := b.Latest(broken.Dir)
				if path == "" || epoch != len(all) {
					t.Fatalf("Latest is %q after %d epochs; %d were reported", path, epoch, len(all))
				}
				broken.Resume = path
				if _, err := b.Train(t.Context(), broken, keep); err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(metrics(all), metrics(whole)) {
					t.Errorf("measurements differ:\n%v\n%v", metrics(all), metrics(whole))
				}
				for _, name := range []string{"last.ckpt", "best.ckpt", "curves.csv"} {
					if !bytes.Equal(read(t, filepath.Join(broken.Dir, name)), read(t, filepath.Join(job.Dir, name))) {
						t.Errorf("%s differs from the uninterrupted run's", name)
					}
				}
			})
		}
	}
}

// TestGoesOnInAnotherDirectory: a trial that goes on from another one's checkpoint leaves what an uninterrupted run does, the
// weights of an early best epoch among it.
func TestGoesOnInAnotherDirectory(t *testing.T) {
	b, job := resumable(t)
	whole, _ := train(t, b, job)
	b, first := resumable(t)
	var all []trials.Measurement
	keep := func(m trials.Measurement) { all = append(all, m) }
	if _, err := b.Train(&countdown{context.Background(), 19}, first, keep); !errors.Is(err, context.Canceled) {
		t.Fatalf("Train returned %v", err)
	}
	second := first
	second.Dir = t.TempDir()
	second.Resume, _ = b.Latest(first.Dir)
	res, err := b.Train(t.Context(), second, keep)
	if err != nil || filepath.Dir(res.Checkpoint) != second.Dir {
		t.Fatalf("%+v, %v", res.Checkpoint, err)
	}
	if !reflect.DeepEqual(metrics(all), metrics(whole)) {
		t.Errorf("measurements differ:\n%v\n%v", metrics(all), metrics(whole))
	}
	for _, name := range []string{"last.ckpt", "best.ckpt", "curves.csv"} {
		if !bytes.Equal(read(t, filepath.Join(second.Dir, name)), read(t, filepath.Join(job.Dir, name))) {
			t.Errorf("%s differs from the uninterrupted run's", name)
		}
	}
}

func TestFinishedRunResumesToNothing(t *testing.T) {
	b, job := resumable(t)
	train(t, b, job)
	var epoch int
	job.Resume, epoch = b.Latest(job.Dir)
	again, res := train(t, b, job)
	if epoch != job.Epochs || len(again) != 0 || res.Checkpoint == "" {
		t.Errorf("epoch %d, then %d epochs reported, result %+v", epoch, len(again), res)
	}
}

func TestResumeRefusesAnotherConfiguration(t *testing.T) {
	b, job := resumable(t)
	train(t, b, job)
	job.Resume, _ = b.Latest(job.Dir)
	for name, change := range map[string]func(*trainer.Job){
		"seed":     func(j *trainer.Job) { j.Seed++ },
		"epochs":   func(j *trainer.Job) { j.Epochs++ },
		"settings": func(j *trainer.Job) { j.Params = j.Params.With(trials.Params{"box": 1.0}) },
		"split":    func(j *trainer.Job) { j.Split = "test" },
	} {
		other := job
		change(&other)
		if _, err := b.Train(t.Context(), other, func(trials.Measurement) {}); err == nil || !strings.Contains(err.Error(), "another configuration") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	// What is written differently but means the same is no other configuration.
	same := job
	same.Params = same.Params.With(trials.Params{"box": 7.5, "warmup_epochs": 3.5, "mosaic": int64(1)})
	if _, err := b.Train(t.Context(), same, func(trials.Measurement) {}); err != nil {
		t.Errorf("the same configuration: %v", err)
	}
}

// sealed appends the checksum that a checkpoint ends in.
func sealed(data []byte) []byte {
	sum := sha256.Sum256(data)
	return append(bytes.Clone(data), sum[:]...)
}

// body makes an otherwise valid file around a header.
func body(header string, floats int) []byte {
	data := []byte("mapsweep ckpt 1\n")
	data = binary.LittleEndian.AppendUint64(data, uint64(len(header)))
	data = append(data, header...)
	return append(data, make([]byte, 4*floats)...)
}

func TestLatestPassesOverBrokenFiles(t *testing.T) {
	var notes bytes.Buffer
	b := backend(t, func(c *native.Config) {
		c.BestMetric, c.ValEvery, c.Log = "loss/box", 1, slog.New(slog.NewTextHandler(&notes, nil))
	})
	job := trainer.Job{Epochs: 2, Dir: t.TempDir()}
	train(t, b, job)
	last, best := filepath.Join(job.Dir, "last.ckpt"), filepath.Join(job.Dir, "best.ckpt")
	good := read(t, last)
	if path, epoch := b.Latest(job.Dir); path != last || epoch != 2 {
		t.Fatalf("Latest is %q, %d", path, epoch)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 4
	for name, data := range map[string][]byte{
		"empty":            {},
		"cut off":          good[:len(good)-100],
		"cut at a page":    good[:4096],
		"one bit":          flipped,
		"longer":           append(bytes.Clone(good), 0),
		"something else":   bytes.Repeat([]byte("text\n"), 100),
		"newer format":     sealed(body(`{"version":2}`, 0)),
		"no header":        sealed(body(`{"version":`, 0)),
		"huge length":      sealed(append([]byte("mapsweep ckpt 1\n"), 255, 255, 255, 255, 255, 255, 255, 127)),
		"tensors missing":  sealed(body(`{"version":1,"tensors":[{"part":"weights","name":"a","shape":[5]}]}`, 4)),
		"negative tensors": sealed(body(`{"version":1,"tensors":[{"part":"weights","name":"a","shape":[-5]}]}`, 4)),
		"shape overflows":  sealed(body(`{"version":1,"tensors":[{"part":"weights","name":"a","shape":[4294967296,4294967296]}]}`, 0)),
		"negative epoch":   sealed(body(`{"version":1,"epoch":-1}`, 0)),
		"too many numbers": sealed(body(`{"version":1,"tensors":[{"part":"weights","name":"a","shape":[5]}]}`, 6)),
	} {
		if err := os.WriteFile(last, data, 0o600); err != nil {
			t.Fatal(err)
		}
		notes.Reset()
		path, epoch := b.Latest(job.Dir)
		if path != best || epoch < 1 {
			t.Errorf("%s: Latest is %q, %d; want the other file", name, path, epoch)
		}
		if !strings.Contains(notes.String(), "last.ckpt") {
			t.Errorf("%s: nothing is noted", name)
		}
		job.Resume = last
		if _, err := b.Train(t.Context(), job, func(trials.Measurement) {}); err == nil || !strings.Contains(err.Error(), "last.ckpt") {
			t.Errorf("%s: resuming from it: error %v", name, err)
		}
	}
	if path, epoch := b.Latest(t.TempDir()); path != "" || epoch != 0 {
		t.Errorf("empty directory: %q, %d", path, epoch)
	}
}

func TestCheckpointsAreReplacedNotRewritten(t *testing.T) {
	b, dir, aside := backend(t, nil), t.TempDir(), t.TempDir()
	_, err := b.Train(t.Context(), trainer.Job{Epochs: 3, Dir: dir}, func(m trials.Measurement) {
		if m.Epoch == 2 { // a second name of the file as it is after epoch 1
			if err := os.Link(filepath.Join(dir, "last.ckpt"), filepath.Join(aside, "last.ckpt")); err != nil {
				t.Fatal(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if path, epoch := b.Latest(aside); path == "" || epoch != 1 {
		t.Errorf("the file of epoch 1 has become %q of epoch %d", path, epoch)
	}
}

// file is a checkpoint as the format's description says: this reader knows nothing else.
type file struct {
	head    map[string]any
	names   []string // part/name
	tensors map[string][]float32
}

func parse(t *testing.T, path string) file {
	t.Helper()
	data := read(t, path)
	n := int(binary.LittleEndian.Uint64(data[16:]))
	f := file{tensors: map[string][]float32{}}
	if err := json.Unmarshal(data[24:24+n], &f.head); err != nil {
		t.Fatal(err)
	}
	rest := data[24+n:]
	for _, v := range f.head["tensors"].([]any) {
		info, count := v.(map[string]any), 1
		for _, d := range info["shape"].([]any) {
			count *= int(d.(float64))
		}
		name, values := info["part"].(string)+"/"+info["name"].(string), make([]float32, count)
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(rest[4*i:]))
		}
		rest = rest[4*count:]
		f.names, f.tensors[name] = append(f.names, name), values
	}
	if len(rest) != sha256.Size {
		t.Fatalf("%d bytes after the tensors", len(rest))
	}
	return f
}

// write is the opposite of parse.
func (f file) write(t *testing.T, path string) {
	t.Helper()
	head, err := json.Marshal(f.head)
	if err != nil {
		t.Fatal(err)
	}
	data := body(string(head), 0)
	for _, name := range f.names {
		for _, v := range f.tensors[name] {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
	}
	if err := os.WriteFile(path, sealed(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAverageFollowsItsRule(t *testing.T) {
	// One step an epoch: two checkpoints hold weights and average before and after step 2.
	b := backend(t, func(c *native.Config) { c.Batch = 67 })
	dir := t.TempDir()
	var before file
	_, err := b.Train(t.Context(), trainer.Job{Epochs: 2, Dir: dir, Params: trials.Params{"ema_decay": 0.9, "ema_tau": 4}}, func(m trials.Measurement) {
		if m.Epoch == 2 {
			before = parse(t, filepath.Join(dir, "last.ckpt"))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	after, d := parse(t, filepath.Join(dir, "last.ckpt")), 0.9*(1-math.Exp(-2.0/4))
	moved := 0
	for _, name := range after.names {
		tensor, ok := strings.CutPrefix(name, "average/")
		if !ok {
			continue
		}
		for i, got := range after.tensors[name] {
			old, now := float64(before.tensors[name][i]), float64(after.tensors["weights/"+tensor][i])
			if want := d*old + (1-d)*now; math.Abs(float64(got)-want) > 1e-6*(1+math.Abs(want)) {
				t.Fatalf("%s, value %d: %g, want %g", name, i, got, want)
			}
			if old != now {
				moved++
			}
		}
	}
	if moved < 100_000 {
		t.Errorf("only %d values moved: the check is too weak", moved)
	}
}

func TestScoreReadsTheAverageOfWeightsAndStatistics(t *testing.T) {
	// The average of a run that stands still is replaced by a trained network: its score must come out.
	trained := t.TempDir()
	good, _ := train(t, backend(t, nil), trainer.Job{Epochs: 10, Dir: trained, Params: trials.Params{"mosaic": 0.0, "ema": false}})
	source := parse(t, filepath.Join(trained, "last.ckpt"))

	b := backend(t, nil)
	job := trainer.Job{Epochs: 2, Dir: t.TempDir(), Params: trials.Params{"lr0": 1e-9, "warmup_epochs": 0, "ema_decay": 0.999999, "ema_tau": 0.001}}
	aside := filepath.Join(t.TempDir(), "last.ckpt")
	bad, err := b.Train(t.Context(), job, func(m trials.Measurement) {
		if m.Epoch == 2 {
			still := parse(t, filepath.Join(job.Dir, "last.ckpt"))
			for name := range still.tensors {
				if tensor, ok := strings.CutPrefix(name, "average/"); ok {
					still.tensors[name] = source.tensors["weights/"+tensor]
				}
			}
			still.write(t, aside)
			if m.Metrics["mAP50"] > 0.05 {
				t.Errorf("the run that stands still has mAP50 %.3f", m.Metrics["mAP50"])
			}
		}
	})
	if err != nil {
		t.Fatal(bad, err)
	}
	job.Resume = aside
	got, _ := train(t, b, job)
	a, w := metrics(got)[0], metrics(good)[9]
	if len(got) != 1 || w["mAP50"] < 0.5 || math.Abs(a["mAP50-95"]-w["mAP50-95"]) > 0.01 {
		t.Errorf("mAP50-95 %.4f, mAP50 %.4f; the trained network had %.4f, %.4f", a["mAP50-95"], a["mAP50"], w["mAP50-95"], w["mAP50"])
	}
}

func FuzzCheckpoint(f *testing.F) {
	f.Add([]byte(`{"version":1,"epoch":3,"step":9,"tensors":[{"part":"weights","name":"a","shape":[2,3]}]}`), 6)
	f.Add([]byte(`{"version":1,"tensors":null}`), 0)
	f.Add([]byte(`[]`), 1)
	b, err := native.New(native.Config{Data: []string{"scenes"}, Load: scenes})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header []byte, floats int) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "last.ckpt"), sealed(body(string(header), floats&0xff)), 0o600); err != nil {
			t.Fatal(err)
		}
		if path, epoch := b.Latest(dir); epoch < 0 || path == "" && epoch != 0 {
			t.Errorf("%q at epoch %d", path, epoch)
		}
	})
}
