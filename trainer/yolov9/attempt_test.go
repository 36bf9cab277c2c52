package yolov9_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/yolov9"
	"github.com/mapsweep/mapsweep/trainer/yolov9/standin"
	"github.com/mapsweep/mapsweep/trials"
)

// put writes a file and the folders that it lies in.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o777); err != nil {
		t.Fatal(err)
	}
}

// through has the backend call Python by a shell script that runs lines first.
func through(t *testing.T, job trainer.Job, lines string) *yolov9.Backend {
	t.Helper()
	python := filepath.Join(t.TempDir(), "python")
	put(t, python, "#!/bin/sh\n"+lines+"\nexec '"+os.Args[0]+"' \"$@\"\n")
	other, err := yolov9.New(yolov9.Config{Checkout: filepath.Dir(job.Data), Python: python, Model: "gelan-t", Device: "cpu"})
	if err != nil {
		t.Fatal(err)
	}
	return other
}

// TestNoteBeforeCheckpoint: the note comes before the checkpoint; a kill between the two leaves the earlier one true.
func TestNoteBeforeCheckpoint(t *testing.T) {
	b, job := subject(t, yolov9.Config{})
	weights := filepath.Join(job.Dir, "attempt-01", "weights")
	put(t, filepath.Join(weights, "last.pt"), "x")
	st, err := os.Stat(filepath.Join(weights, "last.pt"))
	if err != nil {
		t.Fatal(err)
	}
	here := st.Sys().(*syscall.Stat_t).Ino
	for _, tt := range []struct {
		name  string
		inode uint64
		first bool
		want  int
	}{{"in its place", here, false, 5}, {"not yet", here + 1, false, 4}, {"none before", here + 1, true, 0}} {
		before := map[string]any{"epoch": 3, "bytes": 1}
		if tt.first {
			before = map[string]any{}
		}
		note, _ := json.Marshal(map[string]any{"epoch": 4, "bytes": 1, "inode": tt.inode, "before": before})
		put(t, filepath.Join(weights, "last.json"), string(note))
		if _, got := b.Latest(job.Dir); got != tt.want {
			t.Errorf("%s: checkpoint of epoch %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestOddPath: brackets, blanks and letters that are not ASCII in the path of a trial.
func TestOddPath(t *testing.T) {
	b, job := subject(t, yolov9.Config{}, standin.Rule{Do: standin.DoCrash, Epoch: 1, Attempts: 1})
	job.Dir = filepath.Join(job.Dir, "läufe [1] *", "trial-0000")
	if err := os.MkdirAll(job.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	train(t.Context(), b, job, nil)
	path, epochs := b.Latest(job.Dir)
	if epochs != 1 {
		t.Fatalf("checkpoint of epoch %d, want 1", epochs)
	}
	job.Resume = path
	if o := train(t.Context(), b, job, nil); o.err != nil || len(o.ms) != 2 {
		t.Fatalf("went on with %d epochs, %v", len(o.ms), o.err)
	}
	if err := b.Clean(job.Dir); err != nil {
		t.Fatal(err)
	}
	if path, _ := b.Latest(job.Dir); path != "" {
		t.Errorf("%s is left", path)
	}
}

// TestSuperseded: a trial that has ended keeps the checkpoints of its last attempt, and no halves of any.
func TestSuperseded(t *testing.T) {
	b, job := subject(t, yolov9.Config{}, standin.Rule{Do: standin.DoCrash, Epoch: 1, Attempts: 1})
	train(t.Context(), b, job, nil)
	first := filepath.Join(job.Dir, "attempt-01", "weights")
	put(t, filepath.Join(first, "best.pt.tmp77"), "half")
	put(t, filepath.Join(first, "epoch0.pt"), "asked for by save_period")
	job.Resume, _ = b.Latest(job.Dir)
	o := train(t.Context(), b, job, nil)
	if o.err != nil {
		t.Fatal(o.err)
	}
	left, _ := filepath.Glob(filepath.Join(first, "*.pt*"))
	if len(left) != 1 || filepath.Base(left[0]) != "epoch0.pt" {
		t.Errorf("the first attempt has %v, want epoch0.pt alone", left)
	}
	if _, err := os.Stat(o.res.Checkpoint); err != nil {
		t.Error(err)
	}
}

// TestStaleBest: the script may die between last.pt and best.pt; in the best epoch the two are the same.
func TestStaleBest(t *testing.T) {
	for _, best := range []bool{false, true} {
		b, job := subject(t, yolov9.Config{BestEpoch: true})
		if o := train(t.Context(), b, job, nil); o.err != nil {
			t.Fatal(o.err)
		}
		job.Resume, _ = b.Latest(job.Dir)
		note, _ := json.Marshal(map[string]any{"epoch": 2, "bytes": 1, "best": best})
		put(t, filepath.Join(filepath.Dir(job.Resume), "last.json"), string(note))
		want := map[bool]string{false: "best.pt", true: "last.pt"}[best]
		if o := train(t.Context(), b, job, nil); o.err != nil || filepath.Base(o.res.Checkpoint) != want {
			t.Errorf("last epoch the best %v: checkpoint %s, %v, want %s", best, o.res.Checkpoint, o.err, want)
		}
	}
}

// TestScoredEpoch: the score by COCO says which epoch's weights it is of.
func TestScoredEpoch(t *testing.T) {
	b, job := subject(t, yolov9.Config{COCO: true, BestEpoch: true})
	if o := train(t.Context(), b, job, nil); o.err != nil {
		t.Fatal(o.err)
	}
	job.Resume, _ = b.Latest(job.Dir)
	put(t, filepath.Join(filepath.Dir(job.Resume), "last.json"), `{"epoch": 2, "bytes": 1, "ended": true, "best_epoch": 0}`)
	o := train(t.Context(), b, job, nil)
	if o.err != nil || len(o.ms) != 1 {
		t.Fatalf("%v, %v", o.ms, o.err)
	}
	if m := o.ms[0]; m.Epoch != 3 || m.Metrics["coco/epoch"] != 1 {
		t.Errorf("scores at epoch %d are of epoch %v, want 3 and 1", m.Epoch, m.Metrics["coco/epoch"])
	}
}

// TestForeignEnvironment: what a cluster's launcher, or the user for another program, has set does not reach the script.
func TestForeignEnvironment(t *testing.T) {
	_, job := subject(t, yolov9.Config{})
	seen := filepath.Join(t.TempDir(), "seen")
	b := through(t, job, "env > '"+seen+"'")
	names := []string{"RANK", "LOCAL_RANK", "WORLD_SIZE", "TORCHELASTIC_RUN_ID", "YOLOM", "YOLOA", "YOLOB"}
	for _, n := range names {
		t.Setenv(n, "1")
	}
	if o := train(t.Context(), b, job, nil); o.err != nil {
		t.Fatal(o.err)
	}
	env, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(env)) {
		if name, _, _ := strings.Cut(line, "="); slices.Contains(names, name) {
			t.Errorf("the script has %s", line)
		}
	}
}

// TestScanAgain: a scan that was killed from outside is tried again with the next start.
func TestScanAgain(t *testing.T) {
	_, job := subject(t, yolov9.Config{})
	once := filepath.Join(t.TempDir(), "once")
	b := through(t, job, "[ -e '"+once+"' ] || { : > '"+once+"'; kill -9 $$; }")
	var f *trainer.Failure
	if o := train(t.Context(), b, job, nil); !errors.As(o.err, &f) || f.Class != trials.ClassHostMemory {
		t.Fatalf("got %v, want a scan that was killed", o.err)
	}
	if o := train(t.Context(), b, job, nil); o.err != nil {
		t.Errorf("second start: %v", o.err)
	}
}

// TestRereports: epochs that were saved and not recorded, as the study was killed in between, are reported when the run goes on.
func TestRereports(t *testing.T) {
	for _, ended := range []bool{false, true} {
		rules := []standin.Rule{{Do: standin.DoCrash, Epoch: 2, Attempts: 1}}
		b, job := subject(t, yolov9.Config{}, rules[:map[bool]int{false: 1, true: 0}[ended]]...)
		train(t.Context(), b, job, nil)
		path, epochs := b.Latest(job.Dir)
		if !b.Rereports(path, 2, epochs) || b.Rereports(path, 2, epochs+1) {
			t.Fatalf("rows of epochs 2 to %d: there %v, one more %v", epochs, b.Rereports(path, 2, epochs), b.Rereports(path, 2, epochs+1))
		}
		job.Resume, job.Again = path, epochs-1
		o := train(t.Context(), b, job, nil)
		if o.err != nil || len(o.ms) != 2 || o.ms[0].Epoch != 2 || o.ms[1].Epoch != 3 {
			t.Errorf("ended %v: reported %v, %v; want epochs 2 and 3", ended, o.ms, o.err)
		}
	}
}

// TestRankKilled: what torchrun prints of a rank that the kernel killed is the machine's memory, not a lost worker.
func TestRankKilled(t *testing.T) {
	for text, want := range map[string]string{
		"torch.distributed.elastic.multiprocessing.errors.ChildFailedError:\n  exitcode  : -9 (pid: 71)\n  traceback : Signal 9 (SIGKILL) received by PID 71": trials.ClassHostMemory,
		"torch.distributed.elastic.multiprocessing.errors.ChildFailedError:\n  exitcode  : -6 (pid: 71)\n  traceback : Signal 6 (SIGABRT) received by PID 71": trials.ClassLost,
	} {
		_, job := subject(t, yolov9.Config{})
		b := through(t, job, "case \"$2\" in *scan-plan.json) ;; *) cat <<'END'\n"+text+"\nEND\nexit 1;; esac")
		var f *trainer.Failure
		if o := train(t.Context(), b, job, nil); !errors.As(o.err, &f) || f.Class != want {
			t.Errorf("got %v, want class %s", o.err, want)
		}
	}
}

// TestTripleFlags: the triple script lacks two flags of the others.
func TestTripleFlags(t *testing.T) {
	for model, want := range map[string]bool{"yolov9-cf": true, "yolov9-t": false} {
		b, _ := subject(t, yolov9.Config{Model: model})
		for _, flag := range []string{"flat_cos_lr", "fixed_lr"} {
			if err := b.CheckParams(trials.Params{}, map[string][]any{flag: {false, true}}); (err != nil) != want {
				t.Errorf("%s %s: %v", model, flag, err)
			}
		}
	}
}

// TestOneGPU: a device without a number is one GPU; with several in sight the script splits its batches by DataParallel.
func TestOneGPU(t *testing.T) {
	_, job := subject(t, yolov9.Config{})
	seen := filepath.Join(t.TempDir(), "seen")
	b := through(t, job, "echo \"$CUDA_VISIBLE_DEVICES\" > '"+seen+"'")
	job.Devices = []string{"cuda"}
	for visible, want := range map[string]string{"3,4": "3", "5": "5"} {
		t.Setenv("CUDA_VISIBLE_DEVICES", visible)
		job.Dir = t.TempDir()
		if o := train(t.Context(), b, job, nil); o.err != nil {
			t.Fatal(o.err)
		}
		if got, err := os.ReadFile(seen); err != nil || strings.TrimSpace(string(got)) != want {
			t.Errorf("of %s the script sees %q, %v", visible, got, err)
		}
	}
}
