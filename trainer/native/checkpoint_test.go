package native_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"log/slog"
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
// the break, mosaic closed late, scores not in every epoch.
func resumable(t *testing.T) (*native.Backend, trainer.Job) {
	b := backend(t, func(c *native.Config) { c.ValEvery, c.BestMetric = 2, "mAP50-95" })
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

func TestResumedRunIsTheUninterruptedOne(t *testing.T) {
	b, job := resumable(t)
	whole, _ := train(t, b, job)
	for name, c := range map[string]struct {
		asked int    // steps and other looks at the context before it ends
		line  string // of the log: where it stopped
	}{
		"between two epochs": {16, "stopped at epoch 3, step 0 of 8"},
		"inside the second":  {13, "stopped at epoch 2, step 5 of 8"},
		"inside the first":   {3, "stopped at epoch 1, step 3 of 8"},
	} {
		t.Run(name, func(t *testing.T) {
			b, broken := resumable(t)
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
