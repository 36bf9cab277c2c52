package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3", for the command sql
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/nccl/nccltest"
	"github.com/mapsweep/mapsweep/trainer/yolov9/standin"
)

// TestMain lets scripts run the real program as the command mapsweep.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"mapsweep":   func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) },
		"sim-python": func() { os.Exit(standin.Main(os.Args[1:])) }, // the official YOLOv9, played
		"python":     python,
		"yolo":       yolo,
	})
}

// TestScripts drives the binary: one script per user story and per fault that a user can make.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("NO_COLOR", "1")
			env.Setenv("MAPSWEEP_FAKE_GPUS", "none") // the same on every machine; scripts about GPUs say which
			env.Values[scriptKey{}] = &script{env: env, jobs: map[string]*job{}}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"agree":    agreeCommand,
			"checkout": checkoutCommand,
			"code":     codeCommand,
			"emulate":  emulateCommand,
			"ended":    endedCommand,
			"json":     jsonCommand,
			"pastrun":  pastrunCommand,
			"pictures": picturesCommand,
			"recipe":   recipeCommand,
			"signal":   signalCommand,
			"found":    foundCommand,
			"none":     noneCommand,
			"optunadb": optunadbCommand,
			"scored":   scoredCommand,
			"sql":      sqlCommand,
			"start":    startCommand,
			"waitfor":  waitforCommand,
		},
		Condition: scriptCondition,
	})
}

// codeCommand runs a program and checks its exit code: code 2 mapsweep check bad.yaml
func codeCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N program [argument ...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("run %s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s: exit code %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// checkoutCommand makes a folder that looks like a checkout of the official YOLOv9: checkout DIR
func checkoutCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: checkout DIR")
	}
	ts.Check(standin.Checkout(ts.MkAbs(args[0])))
}

// emulateCommand has programs of the script find an emulated GPU, and a stand-in for NCCL: emulate [nccl]
func emulateCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 || len(args) == 1 && args[0] != "nccl" {
		ts.Fatalf("usage: emulate [nccl]")
	}
	path, err := emulator.Driver()
	ts.Check(err)
	ts.Setenv("MAPSWEEP_CUDA_DRIVER", path)
	ts.Setenv("MAPSWEEP_FAKE_GPUS", "") // the driver's
	if len(args) == 1 {
		path, err = nccltest.Build()
		ts.Check(err)
		ts.Setenv("MAPSWEEP_NCCL", path)
	}
}

// noneCommand waits until no process has a text in its environment or arguments, 10 seconds at most: none TEXT
func noneCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: none TEXT")
	}
	var left []string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if left = mentioning(args[0]); len(left) == 0 {
			return
		}
	}
	ts.Fatalf("processes are left:\n%s", strings.Join(left, "\n"))
}

// picturesCommand writes n small PNGs with one bright square each and its YOLO label: pictures DIR N
func picturesCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: pictures DIR N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(writeSamples(ts.MkAbs("."), args[0], n))
}

// samples writes pictures below dir/images/split and their labels beside.
func samples(tb testing.TB, dir, split string, n int) {
	tb.Helper()
	if err := writeSamples(dir, split, n); err != nil {
		tb.Fatal(err)
	}
}

func writeSamples(dir, split string, n int) error {
	images, labels := filepath.Join(dir, "images", split), filepath.Join(dir, "labels", split)
	if err := errors.Join(os.MkdirAll(images, 0o777), os.MkdirAll(labels, 0o777)); err != nil {
		return err
	}
	for i := range n {
		im := image.NewRGBA(image.Rect(0, 0, 64, 64))
		x0, y0 := 4+(i*7)%30, 4+(i*11)%30
		for y := range 64 {
			for x := range 64 {
				c := color.RGBA{uint8(60 + i*3), uint8(x * 2), uint8(y * 2), 255}
				if x >= x0 && x < x0+24 && y >= y0 && y < y0+24 {
					c = color.RGBA{240, 240, 30, 255}
				}
				im.Set(x, y, c)
			}
		}
		var text bytes.Buffer
		if err := png.Encode(&text, im); err != nil {
			return err
		}
		label := strings.Join([]string{"0", frac(x0 + 12), frac(y0 + 12), frac(24), frac(24)}, " ") + "\n"
		name := strconv.Itoa(i)
		if err := errors.Join(os.WriteFile(filepath.Join(images, name+".png"), text.Bytes(), 0o666),
			os.WriteFile(filepath.Join(labels, name+".txt"), []byte(label), 0o666)); err != nil {
			return err
		}
	}
	return nil
}

func frac(pixels int) string { return strconv.FormatFloat(float64(pixels)/64, 'f', 6, 64) }

// waitforCommand waits until a file exists, or contains a text: waitfor FILE [TEXT]
func waitforCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: waitfor FILE [TEXT]")
	}
	path := ts.MkAbs(args[0])
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		b, err := os.ReadFile(path)
		if err == nil && (len(args) == 1 || strings.Contains(string(b), args[1])) {
			return
		}
	}
	ts.Fatalf("%s did not appear with the text wanted", args[0])
}

// script is what the commands of one script share; scriptKey finds it.
type script struct {
	env  *testscript.Env
	jobs map[string]*job
}

type scriptKey struct{}

// job is a program that start left running.
type job struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// lookup finds a started program by the name that the script gave it.
func lookup(ts *testscript.TestScript, name string) *job {
	j, ok := ts.Value(scriptKey{}).(*script).jobs[name]
	if !ok {
		ts.Fatalf("nothing was started as %s", name)
	}
	return j
}

// startCommand starts a program, its output in NAME.out and NAME.err: start NAME program [argument ...]
func startCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME program [argument ...]")
	}
	sc := ts.Value(scriptKey{}).(*script)
	cmd := exec.Command(programPath(ts, args[1]), args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(slices.Clone(sc.env.Vars), "PATH="+ts.Getenv("PATH"), standin.Variable+"="+ts.Getenv(standin.Variable), "STANDIN_PAUSE="+ts.Getenv("STANDIN_PAUSE"))
	out, err := os.Create(ts.MkAbs(args[0] + ".out"))
	ts.Check(err)
	defer out.Close()
	errs, err := os.Create(ts.MkAbs(args[0] + ".err"))
	ts.Check(err)
	defer errs.Close()
	cmd.Stdout, cmd.Stderr = out, errs
	ts.Check(cmd.Start())
	j := &job{cmd: cmd, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // the state says how it ended
		close(j.ended)
	}()
	sc.jobs[args[0]] = j
	ts.Defer(func() {
		_ = cmd.Process.Kill() // an error: it has ended
		<-j.ended
	})
}

// programPath finds a program in the script's PATH, where mapsweep is.
func programPath(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	ts.Fatalf("no program %s", name)
	return ""
}

// signalCommand sends INT or KILL to a started program that still runs: signal NAME INT
func signalCommand(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"INT": os.Interrupt, "KILL": os.Kill}
	if neg || len(args) != 2 || signals[args[1]] == nil {
		ts.Fatalf("usage: signal NAME INT|KILL")
	}
	if err := lookup(ts, args[0]).cmd.Process.Signal(signals[args[1]]); err != nil {
		ts.Fatalf("signal %s: %v", args[0], err)
	}
}

// endedCommand waits for a started program and checks its exit code, or that a signal ended it:
// ended NAME CODE|killed
func endedCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ended NAME CODE|killed")
	}
	j := lookup(ts, args[0])
	select {
	case <-j.ended:
	case <-time.After(time.Minute):
		ts.Fatalf("%s still runs after a minute", args[0])
	}
	got := strconv.Itoa(j.cmd.ProcessState.ExitCode())
	if s, ok := j.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		got = "killed"
	}
	if got != args[1] {
		ts.Fatalf("%s ended with %s, want %s\n%s", args[0], got, args[1], ts.ReadFile(args[0]+".err"))
	}
}

// sqlCommand runs a statement on a SQLite file as another program would: sql FILE STATEMENT
func sqlCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql FILE STATEMENT")
	}
	db, err := sql.Open("sqlite3", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(args[1])
	ts.Check(err)
}

// jsonCommand checks that the last standard output is one JSON document that is not empty.
func jsonCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: json")
	}
	text := []byte(ts.ReadFile("stdout"))
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		ts.Fatalf("standard output is no JSON: %v", err)
	}
	if s := string(bytes.TrimSpace(text)); s == "null" || s == "{}" || s == "[]" {
		ts.Fatalf("standard output says nothing: %s", s)
	}
}

// scriptCondition knows [mount]: whether a file system can be mounted in a namespace of its own.
func scriptCondition(cond string) (bool, error) {
	if cond == "mount" {
		return exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", os.TempDir()).Run() == nil, nil
	}
	return false, errors.New("unknown condition")
}
