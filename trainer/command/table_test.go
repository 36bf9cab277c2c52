package command_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/command"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// tabular is a program of the kind of Ultralytics: a row after each epoch, then the checkpoint, written in place.
// Its arguments are name=value; resume=FILE goes on in the folder from which FILE comes.
const tabular = `
for a in "$@"; do case $a in x=*) x=${a#x=} ;; seed=*) seed=${a#seed=} ;; epochs=*) epochs=${a#epochs=} ;; dir=*) dir=${a#dir=} ;; resume=*) resume=${a#resume=} ;; esac; done
[ "$x" = -1 ] && { echo CUDA out of memory; exit 1; }
from=0
if [ -n "$resume" ]; then dir=$(dirname "$(dirname "$resume")"); read from x seed epochs rest < "$resume"; [ "$rest" = whole ] || { echo torn checkpoint; exit 1; }; fi
mkdir -p "$dir/weights"
[ -f "$dir/results.csv" ] || printf '%23s,%23s,%23s\n' epoch metrics/mAP50-95 train/box_loss > "$dir/results.csv"
e=$from
while [ $e -lt $epochs ]; do
  sleep 0.05
  e=$((e + 1))
  printf '%23d,%23s,%23s\n' $e 0.$((x + e + seed % 7)) 1e-0$e >> "$dir/results.csv"
  sleep 0.05
  : > "$dir/weights/last.pt"
  echo $e $x $seed $epochs whole > "$dir/weights/last.pt"
  [ $e = $epochs ] || sleep ${PAUSE:-0.3}
done
`

func tabularConfig() command.Config {
	return command.Config{
		Command:    append(shell(tabular), "sh", "seed={seed}", "epochs={epochs}", "dir={dir}/run", "{args}"),
		Arguments:  &command.Arguments{Each: "{name}={value}"},
		Table:      &command.Table{File: "run/results.csv", Epoch: "epoch", First: 1, Columns: map[string]string{"mAP50-95": "metrics/mAP50-95", "loss/box": "train/box_loss"}},
		Checkpoint: &command.Checkpoint{File: "run/weights/last.pt", Resume: append(shell(tabular), "sh", "resume={resume}")},
	}
}

func TestTableConformance(t *testing.T) {
	t.Parallel()
	trainertest.Test(t, trainertest.Subject{
		New:       func(t *testing.T) trainer.Backend { return backend(t, tabularConfig()) },
		Job:       trainer.Job{Params: trials.Params{"x": int64(50)}, Epochs: 3, Seed: 3},
		Objective: "mAP50-95", Exact: true, Stop: 3 * time.Second,
		Failing: trainer.Job{Params: trials.Params{"x": int64(-1)}, Epochs: 1}, FailClass: trials.ClassMemory,
	})
}

func TestArguments(t *testing.T) {
	text := func(s string) *string { return &s }
	params := trials.Params{"lr0": 0.01, "cos_lr": true, "plots": false, "name": "a b", "empty": nil, "seed": int64(3)}
	tests := []struct {
		name string
		args command.Arguments
		want []string
	}{
		{"key and value", command.Arguments{Each: "{name}={value}"}, []string{"cos_lr=true", "lr0=0.01", "name=a b", "plots=false"}},
		{"flag, then value", command.Arguments{Each: "--{flag} {value}"}, []string{"--cos-lr", "--lr0", "0.01", "--name", "a b"}},
		{"flag=value", command.Arguments{Each: "--{flag}={value}"}, []string{"--cos-lr", "--lr0=0.01", "--name=a b"}},
		{"own name", command.Arguments{Each: "-D{name}:{value}"}, []string{"-Dcos_lr", "-Dlr0:0.01", "-Dname:a b"}},
		{"no-", command.Arguments{Each: "--{flag} {value}", IfFalse: text("--no-{flag}")}, []string{"--cos-lr", "--lr0", "0.01", "--name", "a b", "--no-plots"}},
		{"truth values are values", command.Arguments{Each: "--{name} {value}", IfTrue: text("--{name} {value}"), IfFalse: text("--{name} {value}")},
			[]string{"--cos_lr", "true", "--lr0", "0.01", "--name", "a b", "--plots", "false"}},
		{"false is left out", command.Arguments{Each: "{name}={value}", IfFalse: text("")}, []string{"cos_lr=true", "lr0=0.01", "name=a b"}},
		{"braces", command.Arguments{Each: "{{{name}}}={value}"}, []string{"{cos_lr}=true", "{lr0}=0.01", "{name}=a b", "{plots}=false"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			cfg := command.Config{Arguments: &tt.args,
				Command: append(shell(`printf '%s\n' "$@" > "$MAPSWEEP_DIR/args"; echo '{"epoch":1}' >> "$MAPSWEEP_METRICS"`), "sh", "--my-seed={seed}", "{args}", "end")}
			if _, _, err := train(t, cfg, trainer.Job{Dir: dir, Params: params, Seed: 9}); err != nil {
				t.Fatal(err)
			}
			want := slices.Concat([]string{"--my-seed=3"}, tt.want, []string{"end"}) // the parameter seed goes first, and is not said twice
			if got := strings.Split(strings.TrimSpace(read(t, dir, "args")), "\n"); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
	for _, a := range []command.Arguments{{Each: "--{flag}"}, {Each: "{name}={value} {lr0}"}, {Each: "{name}={value}", IfFalse: text("{Name}")}} {
		if _, err := command.New(command.Config{Command: []string{"x", "{args}"}, Arguments: &a}); err == nil || !strings.Contains(err.Error(), "trainer.arguments") {
			t.Errorf("%+v: %v", a, err)
		}
	}
}

func TestTable(t *testing.T) {
	type metrics = map[string]float64
	tests := []struct {
		name, script string
		first        int
		want         []metrics // by epoch from 1; the last report of each counts
		log          string
	}{
		{"from 0", `echo "epoch, a ,b"; echo "0,1,2"; echo "1,nan,inf"`, 0, []metrics{{"A": 1, "B": 2}, {"A": math.NaN(), "B": math.Inf(1)}}, ""},
		{"from 1", `echo "a,b,epoch,more"; echo "1,2,1,text"; echo "3,,2,"`, 1, []metrics{{"A": 1, "B": 2}, {"A": 3}}, ""},
		{"repeated", `echo "epoch,a,b"; echo "1,1,1"; echo "2,2,2"; sleep 0.3; echo "1,3,3"; echo "2,4,4"; echo "2,4,4"`, 1, []metrics{{"A": 3, "B": 3}, {"A": 4, "B": 4}}, ""},
		{"half written", `echo "epoch,a,b"; printf "1,1"; sleep 0.3; echo "5,2"; printf "2,3,4"`, 1, []metrics{{"A": 15, "B": 2}, {"A": 3, "B": 4}}, ""},
		{"begun anew", `echo "epoch,a,b"; echo "1,1,1"; sleep 0.3; exec > "$1"; echo "epoch,b,a"; echo "1,2,3"`, 1, []metrics{{"A": 3, "B": 2}}, ""},
		{"nonsense", `echo "epoch,a,b"; echo hello; echo "1,1,1"`, 1, []metrics{{"A": 1, "B": 1}}, `1 of 2 lines of the table make no sense; the first: line 1 has 1 cells and not 3: "hello"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cfg := command.Config{Command: append(shell(`exec >> "$1"; `+tt.script), "sh", "{dir}/t.csv"),
				Table: &command.Table{File: "t.csv", Epoch: "epoch", First: tt.first, Columns: map[string]string{"A": "a", "B": "b"}}}
			ms, _, err := train(t, cfg, trainer.Job{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			got := map[int]metrics{}
			for _, m := range ms {
				got[m.Epoch] = m.Metrics
				if m.At.IsZero() {
					t.Errorf("epoch %d has no time", m.Epoch)
				}
			}
			if len(got) != len(tt.want) {
				t.Fatalf("got %v", ms)
			}
			for i, want := range tt.want {
				if fmt.Sprint(got[i+1]) != fmt.Sprint(want) {
					t.Errorf("epoch %d: got %v, want %v", i+1, got[i+1], want)
				}
			}
			if log := read(t, dir, "trial.log"); !strings.Contains(log, tt.log) || tt.log == "" && strings.Contains(log, "no sense") {
				t.Errorf("log\n%s\nwants %q", log, tt.log)
			}
		})
	}
}

// TestTableFaults: a table that cannot be what the study file says ends the run at once, with both in words.
func TestTableFaults(t *testing.T) {
	tests := []struct {
		name, script, class, reason string
		first                       int
	}{
		{"no such columns", `echo "epoch,a,c" >> "$1"; sleep 60`, trials.ClassUsage, `the table t.csv has no column "b", "d"; it has "epoch", "a", "c": check trainer.metrics.columns`, 1},
		{"no epoch", `echo "Epoch,a,b,d" >> "$1"; sleep 60`, trials.ClassUsage, `has no column "epoch"; it has "Epoch"`, 1},
		{"no header", `echo "1,2,3,4" >> "$1"; sleep 60`, trials.ClassUsage, `has no column "epoch", "a", "b", "d"; it has "1", "2"`, 1},
		{"below the first", `printf "epoch,a,b,d\n0,1,2,3\n" >> "$1"; sleep 60`, trials.ClassUsage, "has an epoch 0, but trainer.metrics.first says that the first one is 1", 1},
		{"above the first", `printf "epoch,a,b,d\n1,1,2,3\n2,1,2,3\n" >> "$1"; sleep 60`, trials.ClassUsage, "begins with epoch 1, but trainer.metrics.first says that the first one is 0", 0},
		{"too many", `printf "epoch,a,b,d\n1,1,2,3\n3,1,2,3\n4,1,2,3\n" >> "$1"; sleep 60`, trials.ClassUsage, "has an epoch 4, which is beyond the 3 of the trial counted from 1", 1},
		{"no file", `true`, trials.ClassError, "there is no table", 1},
		{"no rows", `echo "epoch,a,b,d" >> "$1"`, trials.ClassError, "t.csv has no rows", 1},
		{"empty", `: >> "$1"`, trials.ClassError, "t.csv is empty", 1},
		{"nonsense", `printf "epoch,a,b,d\nx,y\n" >> "$1"`, trials.ClassError, "1 of 1 lines of the table make no sense", 1},
		{"out of memory", `printf "epoch,a,b,d\n1,1,2,3\n" >> "$1"; echo "torch.cuda.OutOfMemoryError"; exit 1`, trials.ClassMemory, "exit status 1 after 1 epochs: its log says that memory ran out", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := command.Config{Command: append(shell(tt.script), "sh", "{dir}/t.csv"), Epochs: 3, Grace: time.Second,
				Table: &command.Table{File: "{dir}/t.csv", Epoch: "epoch", First: tt.first, Columns: map[string]string{"A": "a", "B": "b", "D": "d"}}}
			began := time.Now()
			_, _, err := train(t, cfg, trainer.Job{Dir: t.TempDir()})
			var f *trainer.Failure
			if !errors.As(err, &f) {
				t.Fatalf("got %v, want a failure", err)
			}
			if f.Class != tt.class || !strings.Contains(f.Reason, tt.reason) {
				t.Errorf("got class %s, reason %q\nwant %s, %q", f.Class, f.Reason, tt.class, tt.reason)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestKeptCheckpoint: what is resumed from is whole even if the program tears its own file when it is stopped, and
// belongs to the epoch that is said.
func TestKeptCheckpoint(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := tabularConfig()
	tearing := strings.Replace(tabular, "e=$from", `e=$from; trap 'printf torn > "$dir/weights/last.pt"; exit 0' TERM`, 1)
	cfg.Command[2] = tearing
	cfg.Env = map[string]string{"PAUSE": "1"}
	b := backend(t, cfg)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	stopped := errors.New("stopped")
	job := trainer.Job{Dir: dir, Params: trials.Params{"x": int64(50)}, Epochs: 4, Seed: 3}
	_, err := b.Train(ctx, job, func(m trials.Measurement) {
		if can := b.CanStop(dir); can != (m.Epoch > 1) {
			t.Errorf("at epoch %d, CanStop = %v", m.Epoch, can)
		}
		if m.Epoch == 2 { // its checkpoint comes 0.1 s later
			cancel(stopped)
		}
	})
	if !errors.Is(err, stopped) {
		t.Fatal(err)
	}
	if got := read(t, dir, "run/weights/last.pt"); got != "torn" {
		t.Fatalf("the program's own checkpoint is %q", got)
	}
	path, epoch := b.Latest(dir)
	if epoch != 2 || filepath.Base(path) != "last.pt" || read(t, filepath.Dir(path), "last.pt") != "2 50 3 4 whole\n" {
		t.Fatalf("Latest = %q, %d", path, epoch)
	}
	job.Resume = path
	var epochs []int
	res, err := b.Train(t.Context(), job, func(m trials.Measurement) { epochs = append(epochs, m.Epoch) })
	if err != nil || !slices.Equal(epochs, []int{3, 4}) {
		t.Fatalf("resumed: %v, %v\n%s", epochs, err, read(t, dir, "trial.log"))
	}
	if want := filepath.Join(dir, "run/weights/last.pt"); res.Checkpoint != want {
		t.Errorf("checkpoint %q, want %q", res.Checkpoint, want)
	}
	if path, _ := b.Latest(dir); path != "" {
		t.Errorf("the finished run left a copy: %s", path)
	}
	if n := strings.Count(read(t, dir, "run/results.csv"), "\n"); n != 5 {
		t.Errorf("the table has %d lines", n)
	}
}

// TestStaleFiles: a run that begins anew in a used directory counts neither rows nor checkpoints of the earlier one.
func TestStaleFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"run/results.csv": "epoch,metrics/mAP50-95,train/box_loss\n1,0.9,1\n2,0.9,1\n3,0.9,1\n", "run/weights/last.pt": "old", "checkpoints/2/last.pt": "old", "checkpoints/part/last.pt": "old"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	b := backend(t, tabularConfig())
	if _, epoch := b.Latest(dir); epoch != 2 {
		t.Fatalf("Latest finds epoch %d", epoch)
	}
	var epochs []int
	_, err := b.Train(t.Context(), trainer.Job{Dir: dir, Params: trials.Params{"x": int64(50)}, Epochs: 1}, func(m trials.Measurement) {
		epochs = append(epochs, m.Epoch)
		if path, _ := b.Latest(dir); path != "" {
			t.Errorf("there is a checkpoint %s", path)
		}
	})
	if err != nil || !slices.Equal(epochs, []int{1}) {
		t.Errorf("epochs %v, %v", epochs, err)
	}
}

// TestCheckpointOfLines: a program with JSON lines may leave the naming of its checkpoint to the study file.
func TestCheckpointOfLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := command.Config{Checkpoint: &command.Checkpoint{File: "{dir}/last.pt"}, Command: shell(`
		[ -n "$MAPSWEEP_RESUME" ] && from=$(cat "$MAPSWEEP_RESUME")
		for e in $(seq $((from + 1)) 3); do echo "{\"epoch\": $e, \"a\": 1}" >> "$MAPSWEEP_METRICS"; printf $e > "$MAPSWEEP_DIR/last.pt"; sleep 0.5; done`)}
	b := backend(t, cfg)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	job := trainer.Job{Dir: dir, Epochs: 3}
	if _, err := b.Train(ctx, job, func(m trials.Measurement) {
		if m.Epoch == 2 {
			cancel(errors.New("stopped"))
		}
	}); err == nil {
		t.Fatal("not stopped")
	}
	var epoch int
	if job.Resume, epoch = b.Latest(dir); epoch != 2 {
		t.Fatalf("Latest = %q, %d", job.Resume, epoch)
	}
	var epochs []int
	if _, err := b.Train(t.Context(), job, func(m trials.Measurement) { epochs = append(epochs, m.Epoch) }); err != nil || !slices.Equal(epochs, []int{3}) {
		t.Errorf("resumed: %v, %v", epochs, err)
	}
}

func TestCheckParams(t *testing.T) {
	for _, tt := range []struct {
		says string
		cfg  command.Config
	}{
		{"", tabularConfig()},
		{"trainer.command: {lrO} is no parameter", command.Config{Command: []string{"x", "{lrO}"}}},
		{"trainer.metrics.file: {nmae} is no parameter", command.Config{Command: []string{"x"}, Table: &command.Table{File: "{nmae}", Epoch: "e", Columns: map[string]string{"a": "b"}}}},
		{"trainer.checkpoint.file: {nmae} is no parameter", command.Config{Command: []string{"x"}, Checkpoint: &command.Checkpoint{File: "{nmae}"}}},
		{"trainer.checkpoint.resume: {resum} is no parameter", command.Config{Command: []string{"x"}, Checkpoint: &command.Checkpoint{File: "a", Resume: []string{"x", "{resum}"}}}},
		{"trainer.env.A: {b} is no parameter", command.Config{Command: []string{"x"}, Env: map[string]string{"A": "{b}"}}},
		{"trainer.command: {args} is no parameter", command.Config{Command: []string{"x", "{args}"}}},
	} {
		err := backend(t, tt.cfg).CheckParams(trials.Params{"lr0": 0.1}, map[string][]any{"lrf": {0.1, 1}})
		if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("got %v, want %q", err, tt.says)
		}
	}
}
