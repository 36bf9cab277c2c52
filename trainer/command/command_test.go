package command_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/command"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// TestMain lets the test binary be the program: a trainer with checkpoints.
func TestMain(m *testing.M) {
	if os.Getenv("COMMAND_TEST_TRAINER") == "" {
		os.Exit(m.Run())
	}
	if err := program(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func program() error {
	var params struct{ X float64 }
	data, err := os.ReadFile(os.Getenv("MAPSWEEP_PARAMS"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &params); err != nil {
		return err
	}
	if params.X < 0 {
		return errors.New("CUDA error: out of memory")
	}
	seed, _ := strconv.Atoi(os.Getenv("MAPSWEEP_SEED"))
	epochs, _ := strconv.Atoi(os.Getenv("MAPSWEEP_EPOCHS"))
	out, err := os.OpenFile(os.Getenv("MAPSWEEP_METRICS"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	first := 0
	if path := os.Getenv("MAPSWEEP_RESUME"); path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		first, _ = strconv.Atoi(string(data))
	}
	for e := first + 1; e <= epochs; e++ {
		time.Sleep(120 * time.Millisecond)
		if err := os.WriteFile(filepath.Join(os.Getenv("MAPSWEEP_DIR"), "last.ckpt"), []byte(strconv.Itoa(e)), 0o666); err != nil {
			return err
		}
		fmt.Fprintf(out, `{"epoch": %d, "mAP50-95": %v, "checkpoint": "last.ckpt"}`+"\n", e, params.X*float64(e)/100+float64(seed%7)/1000)
	}
	return nil
}

func TestConformance(t *testing.T) {
	trainertest.Test(t, trainertest.Subject{
		New: func(t *testing.T) trainer.Backend {
			return backend(t, command.Config{Command: []string{os.Args[0]}, Env: map[string]string{"COMMAND_TEST_TRAINER": "1"}})
		},
		Job:       trainer.Job{Params: trials.Params{"x": 0.5}, Epochs: 3, Seed: 3},
		Objective: "mAP50-95", Exact: true, Stop: 2 * time.Second,
		Failing: trainer.Job{Params: trials.Params{"x": -1.0}, Epochs: 1}, FailClass: trials.ClassMemory,
	})
}

func backend(t *testing.T, cfg command.Config) *command.Backend {
	t.Helper()
	b, err := command.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func shell(script string) []string { return []string{"/bin/sh", "-c", script} }

// train runs a job in a new directory.
func train(t *testing.T, cfg command.Config, job trainer.Job) ([]trials.Measurement, trainer.Result, error) {
	t.Helper()
	if job.Dir == "" {
		job.Dir = t.TempDir()
	}
	var ms []trials.Measurement
	res, err := backend(t, cfg).Train(t.Context(), job, func(m trials.Measurement) { ms = append(ms, m) })
	return ms, res, err
}

func TestWhatTheProgramFinds(t *testing.T) {
	dir := t.TempDir()
	job := trainer.Job{Number: 7, Seed: -5, Epochs: 9, Threads: 2, Devices: []string{"cuda:0", "cuda:3"}, Data: "a b", Split: "val", Dir: dir,
		Params: trials.Params{"lr0": 0.01, "mosaic": 1.0, "aug/mode": nil, "ema": true, "n": int64(3), "quote": `'"$HOME`}}
	script := `printf '%s\n' "$@" > "$MAPSWEEP_DIR/args"; env > "$MAPSWEEP_DIR/env"; cp "$MAPSWEEP_PARAMS" "$MAPSWEEP_DIR/copy"; echo '{"epoch":1}' >> "$MAPSWEEP_METRICS"; pwd > "$MAPSWEEP_DIR/pwd"`
	args := []string{"--lr={lr0}", "{quote}", "{seed} {epochs} {data}", "{dir}", "{params}", "{metrics}", "{aug/mode}", `{"json": {{lr0}}}`, "{threads}{split}{trial}", "{device}", "{}", "{ lr0 }"}
	work := t.TempDir()
	_, res, err := train(t, command.Config{Command: append(shell(script), append([]string{"sh"}, args...)...), Dir: work,
		Env: map[string]string{"MINE": "{lr0}/x", "MAPSWEEP_DATA": "over"}}, job)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"--lr=0.01", `'"$HOME`, "-5 9 a b", dir, filepath.Join(dir, "params.json"), filepath.Join(dir, "metrics.jsonl"), "none",
		`{"json": {lr0}}`, "2val7", "cuda:0,cuda:3", "{}", "{ lr0 }"}
	if got := strings.Split(strings.TrimSpace(read(t, dir, "args")), "\n"); !reflect.DeepEqual(got, want) {
		t.Errorf("arguments\n%q\nwant\n%q", got, want)
	}
	env := "\n" + read(t, dir, "env")
	for _, e := range []string{"MAPSWEEP_PARAM_LR0=0.01", "MAPSWEEP_PARAM_AUG_MODE=none", "MAPSWEEP_PARAM_EMA=true", "MAPSWEEP_SEED=-5", "MAPSWEEP_EPOCHS=9",
		"MAPSWEEP_DIR=" + dir, "MAPSWEEP_RESUME=", "MAPSWEEP_THREADS=2", "CUDA_VISIBLE_DEVICES=0,3", "MINE=0.01/x", "MAPSWEEP_DATA=over", "MAPSWEEP_SPLIT=val"} {
		if !strings.Contains(env, "\n"+e+"\n") {
			t.Errorf("the environment has no %s", e)
		}
	}
	if got, want := read(t, dir, "copy"), `{"aug/mode": null, "ema": true, "lr0": 0.01, "mosaic": 1.0, "n": 3, "quote": "'\"$HOME"}`+"\n"; got != want {
		t.Errorf("parameters\n%s\nwant\n%s", got, want)
	}
	if got := strings.TrimSpace(read(t, dir, "pwd")); filepath.Base(got) != filepath.Base(work) {
		t.Errorf("working directory %s, want %s", got, work)
	}
	if !reflect.DeepEqual(res.Effective, job.Params) {
		t.Errorf("effective %v", res.Effective)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestMetrics(t *testing.T) {
	type metrics = map[string]float64
	tests := []struct {
		name, script string
		want         []metrics // by epoch from 1; the last report of each counts
		log          string
	}{
		{"plain", `echo '{"epoch": 1, "a": 0.5, "b": 2}'; echo '{"epoch": 2.0, "a": 1e-3}'`, []metrics{{"a": 0.5, "b": 2}, {"a": 0.001}}, ""},
		{"special", `echo '{"epoch": 1, "a": NaN, "b": -Infinity, "c": "inf", "d": null, "e": "text", "f": true, "g": [1]}'`,
			[]metrics{{"a": math.NaN(), "b": math.Inf(-1), "c": math.Inf(1)}}, ""},
		{"repeated", `echo '{"epoch": 1, "a": 1, "b": 1}'; echo '{"epoch": 2, "a": 2}'; sleep 0.3; echo '{"epoch": 1, "a": 3, "b": null}'`, []metrics{{"a": 3}, {"a": 2}}, ""},
		{"no end", `printf '{"epoch": 1, "a": 1}'`, []metrics{{"a": 1}}, ""},
		{"half written", `printf '{"epoch": 1, '; sleep 0.3; echo '"a": 1}'`, []metrics{{"a": 1}}, ""},
		{"cut off", `echo '{"epoch": 1, "a": 1}'; printf '{"epoch": 2, "a'`, []metrics{{"a": 1}}, "1 of 2 lines of metrics make no sense; the first: line 2 is no JSON object"},
		{"nonsense", `echo hello; echo '[1]'; echo null; echo; echo '{"a": 1}'; echo '{"epoch": 0}'; echo '{"epoch": "x"}'; echo '{"epoch": 1, "a": 1e999}'; echo '{"epoch": 1, "a": 1}'`,
			[]metrics{{"a": 1}}, "7 of 8 lines of metrics make no sense; the first: line 1 is no JSON object"},
		{"begun anew", `echo '{"epoch": 1, "a": 1, "long": 11111111111111}'; sleep 0.3; exec > "$MAPSWEEP_METRICS"; echo '{"epoch": 2, "a": 2}'`, []metrics{{"a": 1, "long": 11111111111111}, {"a": 2}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			ms, _, err := train(t, command.Config{Command: shell(`exec >> "$MAPSWEEP_METRICS"; ` + tt.script)}, trainer.Job{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			got := map[int]metrics{}
			for _, m := range ms {
				got[m.Epoch] = m.Metrics
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

// TestReportsWhileItRuns: an epoch is reported before the program ends.
func TestReportsWhileItRuns(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	pruned := errors.New("pruned")
	began := time.Now()
	_, err := backend(t, command.Config{Command: shell(`echo '{"epoch": 1, "a": 1}' >> "$MAPSWEEP_METRICS"; sleep 60`)}).
		Train(ctx, trainer.Job{Dir: t.TempDir()}, func(trials.Measurement) { cancel(pruned) })
	if !errors.Is(err, pruned) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestFailures(t *testing.T) {
	metric := `echo '{"epoch": 2, "a": 1}' >> "$MAPSWEEP_METRICS"; `
	tests := []struct {
		name, script, class, reason, log string
		timeout                          time.Duration
	}{
		{name: "exit status", script: metric + "echo Traceback >&2; exit 3", class: trials.ClassError, reason: "program ended with exit status 3 after 2 epochs", log: "Traceback"},
		{name: "killed", script: "kill -9 $$", class: trials.ClassHostMemory, reason: "signal 9 (killed) after 0 epochs: killed from outside"},
		{name: "killed behind a shell", script: "sh -c 'kill -9 $$'; exit $?", class: trials.ClassHostMemory, reason: "exit status 137"},
		{name: "other signal", script: "kill -SEGV $$", class: trials.ClassError, reason: "signal 11 (segmentation fault)"},
		{name: "out of memory", script: "echo 'torch.cuda.OutOfMemoryError: CUDA out of memory.'; exit 1", class: trials.ClassMemory, reason: "its log says that memory ran out"},
		{name: "out of host memory", script: "echo MemoryError; exit 1", class: trials.ClassHostMemory, reason: "the machine's memory ran out"},
		{name: "package", script: `echo "ModuleNotFoundError: No module named 'torch'"; exit 1`, class: trials.ClassPackage, reason: "a package that it needs is missing"},
		{name: "flag", script: "echo 'train.py: error: unrecognized arguments: --lrO=1'; exit 2", class: trials.ClassUsage, reason: "exit status 2 after 0 epochs: it refused its arguments"},
		{name: "calls a missing program", script: "no-such-program-at-all", class: trials.ClassError, reason: "exit status 127 after 0 epochs: a program that it calls is not there", log: "no-such-program-at-all"},
		{name: "no metrics", script: "echo done", class: trials.ClassError, reason: "wrote no metrics", log: "done"},
		{name: "nonsense only", script: `echo nonsense >> "$MAPSWEEP_METRICS"`, class: trials.ClassError, reason: `1 of 1 lines of metrics make no sense; the first: line 1 is no JSON object: "nonsense"`},
		{name: "metrics deleted", script: `rm "$MAPSWEEP_METRICS"`, class: trials.ClassError, reason: "wrote no metrics"},
		{name: "hangs", script: metric + "echo waiting; sleep 60", timeout: 400 * time.Millisecond, class: trials.ClassTimeout, reason: "ran over its time limit of 400ms after 2 epochs and was stopped", log: "waiting"},
		{name: "hangs and does not listen", script: "trap '' TERM; while :; do sleep 0.05; done", timeout: 200 * time.Millisecond, class: trials.ClassTimeout, reason: "after 0 epochs and, as it did not stop, was killed"},
		{name: "long log", script: "seq 1 100; exit 1", class: trials.ClassError, reason: "exit status 1", log: "\n100\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			old := "out of memory in an earlier attempt\n"
			if err := os.WriteFile(filepath.Join(dir, "trial.log"), []byte(old), 0o666); err != nil {
				t.Fatal(err)
			}
			_, _, err := train(t, command.Config{Command: shell(tt.script), Timeout: tt.timeout, Grace: 300 * time.Millisecond}, trainer.Job{Dir: dir})
			var f *trainer.Failure
			if !errors.As(err, &f) {
				t.Fatalf("got %v, want a failure", err)
			}
			if f.Class != tt.class || !strings.Contains(f.Reason, tt.reason) || !strings.Contains(f.LogTail, tt.log) {
				t.Errorf("got class %s, reason %q, log\n%s\nwant %s, %q, %q", f.Class, f.Reason, f.LogTail, tt.class, tt.reason, tt.log)
			}
			if n := strings.Count(f.LogTail, "\n"); n > 39 {
				t.Errorf("the log's tail has %d lines", n+1)
			}
			if !strings.HasPrefix(read(t, dir, "trial.log"), old) {
				t.Error("the earlier attempt's log is gone")
			}
		})
	}
}

func TestUnknownPlaceholder(t *testing.T) {
	_, _, err := train(t, command.Config{Command: append(shell("true"), "{lrO}")}, trainer.Job{Params: trials.Params{"lr0": 0.1}})
	var f *trainer.Failure
	if !errors.As(err, &f) || !strings.Contains(f.Reason, "{lrO} is no parameter of this trial") || !strings.Contains(f.Reason, "lr0") || !strings.Contains(f.Reason, "write {{lrO}}") {
		t.Errorf("got %v", err)
	}
}

func TestPrepare(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plain"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ program, says string }{
		{"no-such-program-at-all", `program "no-such-program-at-all" cannot be run`},
		{"./missing", `program "./missing" cannot be run`},
		{"./plain", "permission denied"},
		{"sh", ""},
		{"{which}", ""},
	} {
		p, err := backend(t, command.Config{Command: []string{tt.program, "-x"}, Dir: dir}).Prepare(t.Context())
		if tt.says == "" && (err != nil || p.Backend != "command" || p.Extra["command"] != tt.program+" -x") || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %+v, %v", tt.program, p, err)
		}
	}
	if _, err := backend(t, command.Config{Command: []string{"sh"}, Dir: dir + "/none"}).Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "working directory") {
		t.Errorf("missing working directory: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, cfg := range map[string]command.Config{
		"no command": {}, "blank": {Command: []string{" "}}, "time": {Command: []string{"x"}, Timeout: -1},
		"variable": {Command: []string{"x"}, Env: map[string]string{"A=B": "c"}},
	} {
		if _, err := command.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestKilledAttempt: what an attempt that was killed with its parent left behind does not disturb the next one.
func TestKilledAttempt(t *testing.T) {
	dir := t.TempDir()
	orphan, err := os.StartProcess("/bin/sh", []string{"sh", "-c", "while :; do sleep 0.05; done"},
		&os.ProcAttr{Env: append(os.Environ(), "MAPSWEEP_DIR="+dir)})
	if err != nil {
		t.Fatal(err)
	}
	left := `{"epoch": 1, "a": 1, "checkpoint": "c"}` + "\n" + `{"epoch": 2, "a"`
	for name, text := range map[string]string{"metrics.jsonl": left, "c": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cfg := command.Config{Command: shell(`test -f "$MAPSWEEP_RESUME" && echo '{"epoch": 2, "a": 2}' >> "$MAPSWEEP_METRICS"`)}
	path, epoch := backend(t, cfg).Latest(dir)
	if path != filepath.Join(dir, "c") || epoch != 1 {
		t.Fatalf("Latest = %q, %d", path, epoch)
	}
	ms, res, err := train(t, cfg, trainer.Job{Dir: dir, Resume: path})
	if err != nil || len(ms) != 1 || ms[0].Epoch != 2 || ms[0].Metrics["a"] != 2 || res.Checkpoint != path {
		t.Errorf("resumed: %v, %+v, %v", ms, res, err)
	}
	if st, err := orphan.Wait(); err != nil || st.Success() {
		t.Errorf("the orphan ended with %v, %v", st, err)
	}
}
