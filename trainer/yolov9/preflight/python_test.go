package preflight_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer/yolov9/preflight"
)

// fakePython writes a shell script that stands in for a Python: $5 is the mark of the answer, $6 the mode.
func fakePython(t *testing.T, script string) string {
	t.Helper()
	at := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(at, []byte("#!/bin/sh\n"+script), 0o777); err != nil {
		t.Fatal(err)
	}
	return at
}

const answer311 = `{"version": "3.11.7", "implementation": "CPython", "platform": "linux", "distributions": {"torch": "2.5.1"}, "modules": {"torch": true}, "start_method": "fork"`

func TestProbe(t *testing.T) {
	tests := []struct {
		name, script string
		opts         preflight.ProbeOptions
		err          string
	}{
		{name: "answer", script: `echo noise; echo "$5"'` + answer311 + `}'`},
		{name: "noise behind", script: `echo; echo "$5"'` + answer311 + `}'; echo bye; exit 3`},
		{name: "import", script: `[ "$6" = import ] || exit 9; echo; echo "$5"'` + answer311 + `, "cuda": {"built": "12.4", "available": true, "devices": [{"name": "A", "memory": 5}]}}'`, opts: preflight.ProbeOptions{Import: true}},
		{name: "environment", script: `[ "$A" = b ] || exit 9; echo; echo "$5"'` + answer311 + `}'`, opts: preflight.ProbeOptions{Env: []string{"A=b", "PATH=/bin:/usr/bin"}}},
		{name: "fails", script: "echo 'SyntaxError: no' >&2; exit 1", err: "exit status 1 and no answer: SyntaxError: no"},
		{name: "silent", script: "exit 0", err: "it printed nothing"},
		{name: "hangs", script: "echo starting; sleep 60", opts: preflight.ProbeOptions{Timeout: 200 * time.Millisecond}, err: "no answer within 200ms: starting"},
		{name: "cut off", script: `echo; echo "$5"'{"version'`, err: "is it a Python 3?"},
		{name: "other JSON", script: `echo; echo "$5"'{}'`, err: "is it a Python 3?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at := fakePython(t, tt.script)
			began := time.Now()
			p, err := preflight.Probe(t.Context(), at, tt.opts)
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), at) {
					t.Errorf("%v, want %q", err, tt.err)
				}
				return
			}
			if err != nil || p.Version != "3.11.7" || p.Path != at || p.Distributions["torch"] != "2.5.1" || tt.opts.Import && p.CUDA.Devices[0].Memory != 5 {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
	for _, at := range []string{"", "/no/such/python", "no-such-python-anywhere"} {
		if _, err := preflight.Probe(t.Context(), at, preflight.ProbeOptions{}); err == nil {
			t.Errorf("%q is a Python", at)
		}
	}
}

func TestProbeCancelled(t *testing.T) {
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(100*time.Millisecond, func() { cancel(why) })
	if _, err := preflight.Probe(ctx, fakePython(t, "sleep 60"), preflight.ProbeOptions{}); !errors.Is(err, why) {
		t.Error(err)
	}
}

// good is a Python as it should be.
func good() preflight.Python {
	p := preflight.Python{Path: "/env/bin/python", Version: "3.11.7", Implementation: "CPython", Platform: "linux", StartMethod: "fork",
		Distributions: maps.Clone(preflight.KnownGood), Modules: map[string]bool{}, Broken: map[string]string{}}
	for _, m := range strings.Fields("torch torchvision numpy cv2 PIL yaml pandas matplotlib seaborn scipy tqdm psutil requests IPython tensorboard pkg_resources albumentations pycocotools thop") {
		p.Modules[m] = true
	}
	return p
}

func TestJudgePython(t *testing.T) {
	with := func(dist, version string) func(*preflight.Python) {
		return func(p *preflight.Python) { p.Distributions[dist] = version }
	}
	gone := func(modules ...string) func(*preflight.Python) {
		return func(p *preflight.Python) {
			for _, m := range modules {
				p.Modules[m] = false
			}
		}
	}
	cuda := func(c preflight.CUDA) func(*preflight.Python) {
		return func(p *preflight.Python) { p.CUDA = &c }
	}
	gpu := preflight.Uses{GPU: true}
	tests := []struct {
		name  string
		edit  func(*preflight.Python)
		uses  preflight.Uses
		kinds string
		level preflight.Level // of the first
		what  string          // in the first
	}{
		{name: "known good", edit: func(*preflight.Python) {}},
		{name: "local version", edit: with("torch", "2.5.1+cu121")},
		{name: "known with the launcher", edit: func(p *preflight.Python) {
			maps.Copy(p.Distributions, preflight.KnownShimmed)
			p.Modules["pkg_resources"] = false
		}, kinds: "torch-version numpy-version pillow-version setuptools-version albumentations-version", level: preflight.Note, what: "torch.load"},
		{name: "torch 2.6", edit: with("torch", "2.6.0"), kinds: "torch-version versions-untried", level: preflight.Note, what: "torch 2.6.0"},
		{name: "torch 2.10 is later than 2.6", edit: with("torch", "2.10.0"), kinds: "torch-version versions-untried", level: preflight.Note, what: "torch 2.10.0"},
		{name: "numpy 2.3", edit: with("numpy", "2.3.5"), kinds: "versions-untried", level: preflight.Note},
		{name: "albumentations 2", edit: with("albumentations", "2.0.8"), kinds: "albumentations-version versions-untried", level: preflight.Warning, what: "trains without blur"},
		{name: "no albumentations", edit: func(p *preflight.Python) {
			delete(p.Distributions, "albumentations")
			p.Modules["albumentations"] = false
		}, kinds: "albumentations-none", level: preflight.Note},
		{name: "no setuptools", edit: func(p *preflight.Python) {
			delete(p.Distributions, "setuptools")
			p.Modules["pkg_resources"] = false
		}, kinds: "setuptools-none", level: preflight.Note, what: "pkg_resources"},
		{name: "no optional ones", edit: gone("pycocotools", "thop"), kinds: "pycocotools-none thop-none", level: preflight.Note},
		{name: "missing", edit: gone("torch", "cv2", "seaborn"), kinds: "modules-missing", level: preflight.Error, what: "missing"},
		{name: "broken", edit: func(p *preflight.Python) {
			p.Broken["cv2"] = "ImportError: libGL.so.1: cannot open shared object file"
		}, kinds: "module-broken-cv2", level: preflight.Error, what: "libGL"},
		{name: "broken optional", edit: func(p *preflight.Python) { p.Broken["albumentations"] = "ImportError: x" }, kinds: "module-broken-albumentations", level: preflight.Warning},
		{name: "loggers", edit: func(p *preflight.Python) { p.Modules["wandb"], p.Modules["clearml"] = true, true }, kinds: "loggers-home", level: preflight.Note},
		{name: "two builds of OpenCV", edit: with("opencv-python", "4.10.0.84"), kinds: "opencv-several", level: preflight.Warning},
		{name: "Python 3.6", edit: func(p *preflight.Python) { p.Version = "3.6.15" }, kinds: "python-version", level: preflight.Error},
		{name: "Python 3.12", edit: func(p *preflight.Python) { p.Version = "3.12.1" }},
		{name: "Python 3.12, multi-scale", edit: func(p *preflight.Python) { p.Version = "3.12.1" }, uses: preflight.Uses{MultiScale: true}, kinds: "python-multi-scale", level: preflight.Note, what: "randrange"},
		{name: "Python 3.11, multi-scale", edit: func(p *preflight.Python) {}, uses: preflight.Uses{MultiScale: true}},
		{name: "Python 3.14", edit: func(p *preflight.Python) { p.Version, p.StartMethod = "3.14.0rc1", "forkserver" }, kinds: "python-version python-start-method", level: preflight.Warning},
		{name: "PyPy", edit: func(p *preflight.Python) { p.Implementation = "PyPy" }, kinds: "python-implementation", level: preflight.Warning},
		{name: "GPU not asked", edit: func(*preflight.Python) {}, uses: gpu},
		{name: "CPU build, no GPU wanted", edit: cuda(preflight.CUDA{})},
		{name: "CPU build", edit: cuda(preflight.CUDA{}), uses: gpu, kinds: "cuda-build", level: preflight.Error},
		{name: "no GPU", edit: cuda(preflight.CUDA{Built: "12.4"}), uses: gpu, kinds: "cuda-none", level: preflight.Error},
		{name: "CUDA fails", edit: cuda(preflight.CUDA{Built: "12.4", Error: "RuntimeError: driver"}), uses: gpu, kinds: "cuda-error", level: preflight.Error, what: "driver"},
		{name: "GPU", edit: cuda(preflight.CUDA{Built: "12.4", Available: true, Devices: []preflight.Device{{Name: "A"}}}), uses: gpu},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := good()
			tt.edit(&p)
			faults := preflight.JudgePython(p, tt.uses)
			if got := kinds(faults); got != tt.kinds {
				t.Fatalf("%q, want %q: %v", got, tt.kinds, faults)
			}
			if len(faults) > 0 && (faults[0].Level != tt.level || !strings.Contains(faults[0].What, tt.what)) {
				t.Errorf("%v", faults[0])
			}
		})
	}
	for message, want := range map[string]string{"libGL.so.1: cannot open": "opencv-python-headless", "module compiled against ABI of numpy 1": "numpy 1.26.4", "odd": "reinstall"} {
		p := good()
		p.Broken["cv2"] = "ImportError: " + message
		if f, _ := preflight.JudgePython(p, preflight.Uses{}).Find("module-broken-cv2"); !strings.Contains(f.Do, want) {
			t.Errorf("%s: %q", message, f.Do)
		}
	}
	p := good()
	gone("cv2", "PIL", "torch")(&p)
	f, _ := preflight.JudgePython(p, preflight.Uses{}).Find("modules-missing")
	if want := "pip install torch opencv-python-headless==4.10.0.84 pillow==9.5.0"; f.Do != want || fmt.Sprint(f.Places) != "[import torch import cv2 import PIL]" {
		t.Errorf("%+v, want %q", f, want)
	}
}

func TestAtLeast(t *testing.T) {
	for _, tt := range []struct {
		v, least string
		want     bool
	}{
		{"2.6.0", "2.6", true}, {"2.6", "2.6.0", true}, {"2.10.1", "2.6", true}, {"2.5.1+cu121", "2.6", false}, {"3.12.0rc1", "3.12", true},
		{"82", "82", true}, {"75.8.0", "82", false}, {"10.0", "10", true}, {"9.5.0", "10", false}, {"", "1", false}, {"junk", "0", true}, {"2.6.0.dev2024", "2.6", true},
	} {
		if got := preflight.AtLeast(tt.v, tt.least); got != tt.want {
			t.Errorf("%s at least %s: %v", tt.v, tt.least, got)
		}
	}
}
