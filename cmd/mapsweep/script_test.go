package main

import (
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts run the real program as the command mapsweep.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"mapsweep": func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestScripts drives the binary: one script per user story and per fault that a user can make.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("NO_COLOR", "1")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":     codeCommand,
			"pictures": picturesCommand,
			"waitfor":  waitforCommand,
			"killed":   killedCommand,
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

// picturesCommand writes n small PNGs with one bright square each and its YOLO label: pictures DIR N
func picturesCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: pictures DIR N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	images, labels := ts.MkAbs(filepath.Join("images", args[0])), ts.MkAbs(filepath.Join("labels", args[0]))
	ts.Check(os.MkdirAll(images, 0o777))
	ts.Check(os.MkdirAll(labels, 0o777))
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
		name := strconv.Itoa(i)
		f, err := os.Create(filepath.Join(images, name+".png"))
		ts.Check(err)
		ts.Check(png.Encode(f, im))
		ts.Check(f.Close())
		label := strings.Join([]string{"0", frac(x0 + 12), frac(y0 + 12), frac(24), frac(24)}, " ") + "\n"
		ts.Check(os.WriteFile(filepath.Join(labels, name+".txt"), []byte(label), 0o666))
	}
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

// killedCommand kills the process whose number a file holds, as kill -9 does: killed FILE
func killedCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: killed FILE")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	p, err := os.FindProcess(pid)
	ts.Check(err)
	ts.Check(p.Kill())
}

// scriptCondition knows [root].
func scriptCondition(cond string) (bool, error) {
	if cond == "root" {
		return os.Geteuid() == 0, nil
	}
	return false, errors.New("unknown condition")
}
