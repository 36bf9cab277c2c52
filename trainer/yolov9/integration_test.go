//go:build integration

package yolov9_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/internal/process"
	"github.com/mapsweep/mapsweep/trainer/yolov9"
	"github.com/mapsweep/mapsweep/trials"
)

// These tests run the official code on the CPU with gelan-t and yolov9-t on pictures of 64 pixels. They need
// YOLOV9_DIR, a checkout, and YOLOV9_PYTHON, an interpreter that can run it:
//
//	YOLOV9_DIR=... YOLOV9_PYTHON=... go test -tags integration -timeout 40m ./trainer/yolov9

// real makes a backend on the real checkout and a job for it.
func real(t *testing.T, cfg yolov9.Config) (*yolov9.Backend, trainer.Job) {
	t.Helper()
	cfg.Checkout, cfg.Python = os.Getenv("YOLOV9_DIR"), os.Getenv("YOLOV9_PYTHON")
	if cfg.Checkout == "" || cfg.Python == "" {
		t.Skip("needs a checkout of the official YOLOv9 in YOLOV9_DIR and an interpreter that can run it in YOLOV9_PYTHON")
	}
	if cfg.Model == "" {
		cfg.Model = "gelan-t"
	}
	cfg.Device, cfg.ImageSize, cfg.Batch = "cpu", 64, 8
	b, err := yolov9.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b, trainer.Job{Params: trials.Params{"workers": int64(1)}, Epochs: 2, Seed: 3, Threads: 1, Devices: []string{"cpu"},
		Data: pictures(t, 24, 8), Split: "val", Dir: t.TempDir()}
}

// pictures writes a data set of coloured squares on noise, labelled with boxes, and returns its data.yaml.
func pictures(t *testing.T, train, val int) string {
	t.Helper()
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	for split, n := range map[string]int{"train": train, "val": val} {
		for _, d := range []string{"images", "labels"} {
			if err := os.MkdirAll(filepath.Join(dir, d, split), 0o777); err != nil {
				t.Fatal(err)
			}
		}
		for i := range n {
			im, labels := image.NewRGBA(image.Rect(0, 0, 96, 80)), ""
			for y := range 80 {
				for x := range 96 {
					im.Set(x, y, color.RGBA{uint8(rng.IntN(90)), uint8(rng.IntN(90)), uint8(rng.IntN(90)), 255})
				}
			}
			for range 1 + rng.IntN(3) {
				c, s := rng.IntN(3), 14+rng.IntN(20)
				x0, y0 := rng.IntN(96-s), rng.IntN(80-s)
				tint := []color.RGBA{{255, 60, 60, 255}, {60, 255, 60, 255}, {60, 60, 255, 255}}[c]
				for y := y0; y < y0+s; y++ {
					for x := x0; x < x0+s; x++ {
						im.Set(x, y, tint)
					}
				}
				labels += fmt.Sprintf("%d %.6f %.6f %.6f %.6f\n", c, (float64(x0)+float64(s)/2)/96, (float64(y0)+float64(s)/2)/80, float64(s)/96, float64(s)/80)
			}
			var buf bytes.Buffer
			if err := png.Encode(&buf, im); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "images", split, fmt.Sprintf("%03d.png", i)), buf.String())
			write(t, filepath.Join(dir, "labels", split, fmt.Sprintf("%03d.txt", i)), labels)
		}
	}
	path := filepath.Join(dir, "data.yaml")
	write(t, path, "path: "+dir+"\ntrain: images/train\nval: images/val\nnames: [red, green, blue]\n")
	return path
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// bare runs the official script by itself, with the hyper-parameters and arguments of a run through the launcher.
func bare(t *testing.T, script string, job trainer.Job, attempt string) string {
	t.Helper()
	dir := t.TempDir()
	model := map[string]string{"train.py": "gelan-t", "train_dual.py": "yolov9-t"}[script]
	cmd := exec.Command(os.Getenv("YOLOV9_PYTHON"), script, "--cfg", "models/detect/"+model+".yaml", "--weights=", "--data", job.Data,
		"--hyp", attempt+".hyp.yaml", "--epochs", fmt.Sprint(job.Epochs), "--device", "cpu", "--seed", fmt.Sprint(job.Seed), "--img", "64", "--batch-size", "8",
		"--workers", "1", "--noplots", "--project", dir, "--name", "bare")
	cmd.Dir = os.Getenv("YOLOV9_DIR")
	shims := filepath.Join(dir, "shims")
	if err := os.Mkdir(shims, 0o777); err != nil {
		t.Fatal(err)
	}
	// current packages need the shims of the launcher, and the font; nothing else of it
	write(t, filepath.Join(shims, "sitecustomize.py"), "import sys\nsys.path.insert(0, "+fmt.Sprintf("%q", filepath.Join(job.Dir, "launcher"))+
		")\nfrom mapsweep_launcher import compat\nsys.path.pop(0)\ncompat.install("+fmt.Sprintf("%q", filepath.Join(job.Dir, "config"))+")\n")
	cmd.Env = append(os.Environ(), "PYTHONPATH="+shims, "OMP_NUM_THREADS=1", "WANDB_MODE=disabled", "PYTHONDONTWRITEBYTECODE=1", "YOLOV5_CONFIG_DIR="+filepath.Join(job.Dir, "config"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("bare %s: %v\n%s", script, err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "bare", "results.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestBitIdentity: without a lever, results.csv is that of the script started by itself.
func TestBitIdentity(t *testing.T) {
	for script, model := range map[string]string{"train.py": "gelan-t", "train_dual.py": "yolov9-t"} {
		t.Run(model, func(t *testing.T) {
			b, job := real(t, yolov9.Config{Model: model})
			o := train(t.Context(), b, job, nil)
			if o.err != nil {
				t.Fatal(o.err)
			}
			ours, err := os.ReadFile(filepath.Join(job.Dir, "attempt-01", "results.csv"))
			if err != nil {
				t.Fatal(err)
			}
			if theirs := bare(t, script, job, filepath.Join(job.Dir, "attempt-01")); theirs != string(ours) {
				t.Errorf("through the launcher:\n%s\nby itself:\n%s", ours, theirs)
			}
			if len(o.ms) != 2 || math.IsNaN(o.ms[1].Metrics["loss/box"]) || o.ms[1].Metrics["loss/box"] == 0 {
				t.Errorf("measured %v", o.ms)
			}
		})
	}
}

// liveness is what an audit must find: inert in the untouched script, alive through the launcher.
var liveness = []struct {
	name     string
	base     trials.Params // beside the job's own
	change   trials.Params
	official bool   // alive in the untouched script
	ours     bool   // alive through the launcher
	channel  string // that first differs through the launcher
}{
	{"box", nil, trials.Params{"box": 10.5}, false, true, trainer.ChannelLoss},
	{"cls", nil, trials.Params{"cls": 1.0}, false, true, trainer.ChannelLoss},
	{"dfl", nil, trials.Params{"dfl": 3.0}, false, true, trainer.ChannelLoss},
	{"label_smoothing", nil, trials.Params{"label_smoothing": 0.1}, false, true, trainer.ChannelLoss},
	{"randaugment", nil, trials.Params{"autoaugment": "randaugment"}, false, true, trainer.ChannelInput},
	{"autoaugment", nil, trials.Params{"autoaugment": "autoaugment"}, false, true, trainer.ChannelInput},
	{"copy_paste", nil, trials.Params{"copy_paste": 0.0}, false, false, ""},
	{"copy_paste of boxes", trials.Params{"copy_paste": 1.0, "copy_paste_boxes": true}, trials.Params{"copy_paste": 0.0}, false, true, trainer.ChannelInput},
	{"ema", nil, trials.Params{"ema": false}, false, true, trainer.ChannelAverage},
	{"ema_decay", nil, trials.Params{"ema_decay": 0.5}, false, true, trainer.ChannelAverage},
	{"amp", nil, trials.Params{"amp": "bf16"}, false, true, trainer.ChannelLoss},
	{"warmup_epochs", nil, trials.Params{"warmup_epochs": 1.0}, false, false, ""},
	{"warmup_epochs without floor", trials.Params{"warmup_floor": int64(0)}, trials.Params{"warmup_epochs": 1.0}, false, true, ""},
	{"obj", nil, trials.Params{"obj": 2.0}, false, false, ""},
	{"iou_t", nil, trials.Params{"iou_t": 0.5}, false, false, ""},
	{"anchor_t", nil, trials.Params{"anchor_t": 3.0}, false, false, ""},
	{"noautoanchor", nil, trials.Params{"noautoanchor": true}, false, false, ""},
	{"lr0", nil, trials.Params{"lr0": 0.02}, true, true, ""},
	{"cls_pw", nil, trials.Params{"cls_pw": 2.0}, true, true, trainer.ChannelLoss},
	{"fl_gamma", nil, trials.Params{"fl_gamma": 1.5}, true, true, trainer.ChannelLoss},
	{"mixup", trials.Params{"mixup": 1.0}, trials.Params{"mixup": 0.0}, true, true, trainer.ChannelInput},
	{"mosaic", nil, trials.Params{"mosaic": 0.0}, true, true, trainer.ChannelInput},
	{"tal_topk", nil, trials.Params{"tal_topk": int64(3)}, true, true, trainer.ChannelLoss},
}

// TestLiveness traces every knob of the table in the untouched script and through the launcher.
func TestLiveness(t *testing.T) {
	b, job := real(t, yolov9.Config{})
	for _, bare := range []bool{true, false} {
		var jobs []trainer.Job
		for _, l := range liveness {
			from, to := job, job
			from.Params = job.Params.With(l.base)
			to.Params = from.Params.With(l.change)
			jobs = append(jobs, from, to)
		}
		traces, err := b.Trace(t.Context(), jobs, trainer.TraceOptions{Steps: 3, Bare: bare})
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range liveness {
			a, c := traces[2*i], traces[2*i+1]
			if a.Failed != "" || c.Failed != "" || len(a.Steps) != 3 || len(c.Steps) != 3 {
				t.Errorf("%s (bare %v): %d and %d steps, %q %q", l.name, bare, len(a.Steps), len(c.Steps), a.Failed, c.Failed)
				continue
			}
			want := l.ours
			if bare {
				want = l.official
			}
			step, channel := firstDifference(a, c)
			if (channel != "") != want {
				t.Errorf("%s (bare %v): alive %v (%s at step %d), want %v", l.name, bare, channel != "", channel, step, want)
			}
			if !bare && l.channel != "" && channel != l.channel {
				t.Errorf("%s: differs first in %s, want %s", l.name, channel, l.channel)
			}
		}
	}
}

func firstDifference(a, b trainer.Trace) (step int, channel string) {
	for i := range a.Steps {
		for _, c := range trainer.Channels {
			if a.Steps[i].Hashes[c] != b.Steps[i].Hashes[c] {
				return i, c
			}
		}
	}
	return 0, ""
}

// TestSeeds: the stream of pictures follows the seed with the lever, and not without it.
func TestSeeds(t *testing.T) {
	for _, mode := range []string{yolov9.SeedOn, yolov9.SeedOff} {
		b, job := real(t, yolov9.Config{})
		job.Params["seed_images"] = mode
		other := job
		other.Seed = 99
		traces, err := b.Trace(t.Context(), []trainer.Job{job, other}, trainer.TraceOptions{Steps: 1})
		if err != nil {
			t.Fatal(err)
		}
		same := traces[0].Steps[0].Hashes[trainer.ChannelInput] == traces[1].Steps[0].Hashes[trainer.ChannelInput]
		if same != (mode == yolov9.SeedOff) {
			t.Errorf("seed_images %s: two seeds have the same pictures: %v", mode, same)
		}
		if traces[0].Steps[0].Hashes[trainer.ChannelWeights] == traces[1].Steps[0].Hashes[trainer.ChannelWeights] {
			t.Errorf("seed_images %s: two seeds have the same weights", mode)
		}
	}
}

// TestPruneAndResume: a stopped run leaves the checkpoint of its last reported epoch, and goes on from it.
func TestPruneAndResume(t *testing.T) {
	for _, model := range []string{"gelan-t", "yolov9-t"} {
		t.Run(model, func(t *testing.T) {
			b, job := real(t, yolov9.Config{Model: model})
			job.Epochs = 4
			ctx, cancel := context.WithCancelCause(t.Context())
			pruned := errors.New("pruned")
			o := train(ctx, b, job, func(m trials.Measurement) {
				if m.Epoch == 2 {
					cancel(pruned)
				}
			})
			if !errors.Is(o.err, pruned) {
				t.Fatalf("got %v, want %v", o.err, pruned)
			}
			path, epochs := b.Latest(job.Dir)
			if epochs < 2 {
				t.Fatalf("checkpoint of epoch %d, want 2", epochs)
			}
			job.Resume = path
			again := train(t.Context(), b, job, nil)
			if again.err != nil {
				t.Fatal(again.err)
			}
			last := again.ms[len(again.ms)-1]
			if again.ms[0].Epoch != epochs+1 || last.Epoch != 4 {
				t.Errorf("resumed from epoch %d: reported %d to %d", epochs, again.ms[0].Epoch, last.Epoch)
			}
			table, err := os.ReadFile(filepath.Join(job.Dir, "attempt-02", "results.csv"))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(table), "\n"); n != 5 {
				t.Errorf("%d lines in the table, want a header and 4 rows:\n%s", n, table)
			}
			if pids := withEnvironment("MAPSWEEP_DIR=" + job.Dir); len(pids) > 0 {
				t.Errorf("processes %v are left", pids)
			}
		})
	}
}

// TestValInterval: scores come every second epoch and at the last.
func TestValInterval(t *testing.T) {
	b, job := real(t, yolov9.Config{})
	job.Epochs, job.Params["val_interval"] = 3, int64(2)
	o := train(t.Context(), b, job, nil)
	if o.err != nil {
		t.Fatal(o.err)
	}
	var with []int
	for _, m := range o.ms {
		if _, ok := m.Metrics["mAP50-95"]; ok {
			with = append(with, m.Epoch)
		}
	}
	if fmt.Sprint(with) != "[2 3]" {
		t.Errorf("scored epochs %v, want [2 3]", with)
	}
}

// TestRanks: two ranks on the CPU over gloo train through torchrun. What GPUs do beyond that is not shown.
func TestRanks(t *testing.T) {
	b, job := real(t, yolov9.Config{GPUs: 2, CPURanks: true})
	o := train(t.Context(), b, job, nil)
	if o.err != nil {
		var f *trainer.Failure
		errors.As(o.err, &f)
		t.Fatalf("%v\n%s", o.err, f.LogTail)
	}
	if len(o.ms) != 2 || o.ms[1].Metrics["loss/box"] == 0 {
		t.Errorf("measured %v", o.ms)
	}
}

// TestRealFailures: what users get wrong has its class.
func TestRealFailures(t *testing.T) {
	b, job := real(t, yolov9.Config{})
	job.Params = job.Params.With(trials.Params{"lr0": 1e6, "warmup_floor": int64(0), "warmup_epochs": 0.0})
	job.Epochs = 6
	o := train(t.Context(), b, job, nil)
	var f *trainer.Failure
	if !errors.As(o.err, &f) || f.Class != trials.ClassDiverged {
		t.Errorf("a learning rate of a million: %v after %d epochs", o.err, len(o.ms))
	}
}

// TestShims: what current packages no longer have is there after they were imported, also where somebody asked for
// them before.
func TestShims(t *testing.T) {
	_, job := real(t, yolov9.Config{})
	abs, err := filepath.Abs("launcher")
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("import sys\nsys.path.insert(0, %q)\nimport mapsweep_launcher.run\nfrom mapsweep_launcher import compat\ncompat.install(%q)\n"+
		"import importlib.util\nfor n in ('numpy', 'torch', 'PIL.ImageFont'): importlib.util.find_spec(n)\n"+
		"import pkg_resources, torch, numpy, PIL.ImageFont\n"+
		"assert pkg_resources.parse_version('1.10') > pkg_resources.parse_version('1.9')\n"+
		"assert numpy.trapz([1.0, 2.0], [0.0, 1.0]) == 1.5\nassert PIL.ImageFont.FreeTypeFont.getsize\n"+
		"torch.save(torch.nn.Linear(1, 1), %q)\nassert torch.load(%q)\n"+
		"for name in ('wandb', 'comet_ml', 'clearml'):\n    try:\n        __import__(name)\n    except ImportError:\n        pass\n    else:\n        raise AssertionError(name)\n",
		abs, filepath.Join(job.Dir, "config"), filepath.Join(job.Dir, "m.pt"), filepath.Join(job.Dir, "m.pt"))
	if out, err := exec.Command(os.Getenv("YOLOV9_PYTHON"), "-c", script).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestRealCOCO: the final weights are scored by COCO's definition, by the validation script of either kind of model.
func TestRealCOCO(t *testing.T) {
	for _, model := range []string{"gelan-t", "yolov9-t"} {
		b, job := real(t, yolov9.Config{Model: model, COCO: true})
		o := train(t.Context(), b, job, nil)
		if o.err != nil {
			t.Fatalf("%s: %v", model, o.err)
		}
		m := o.ms[len(o.ms)-1]
		if v, ok := m.Metrics["coco/mAP50-95"]; !ok || v < 0 || v > 1 || m.Epoch != 2 || len(o.ms) != 3 {
			t.Errorf("%s: %d measurements, the last is %+v", model, len(o.ms), m)
		}
	}
}

// TestEffectiveLevers: what is read back has every lever that was pulled, and nothing that was not asked for. The weights
// are scored by COCO, too.
func TestEffectiveLevers(t *testing.T) {
	b, job := real(t, yolov9.Config{COCO: true})
	job.Epochs = 1
	job.Params = job.Params.With(trials.Params{"ema": false, "label_smoothing": 0.1, "box": 5.0, "warmup_floor": int64(0), "seed_images": yolov9.SeedOn,
		"autoaugment": yolov9.RandAugment, "copy_paste_boxes": true, "val_interval": int64(2), "amp": yolov9.AMPBF16, "tal_topk": int64(8)})
	o := train(t.Context(), b, job, nil)
	if o.err != nil {
		t.Fatal(o.err)
	}
	if list := trials.Mismatches(job.Params, o.res.Effective); len(list) > 0 {
		t.Errorf("asked for and used: %s", trials.MismatchText(list))
	}
	if m := o.ms[len(o.ms)-1].Metrics; m["coco/epoch"] != 1 || !has(m, "coco/mAP50-95") {
		t.Errorf("no scores by COCO of epoch 1: %v", m)
	}
	job.Dir, job.Params = t.TempDir(), trials.Params{"workers": int64(256), "batch_size": int64(8), "imgsz": int64(96)}
	if o = train(t.Context(), b, job, nil); o.err != nil {
		t.Fatal(o.err)
	}
	if n, _ := trials.Number(o.res.Effective["workers"]); n >= 256 || !trials.SameValue(o.res.Effective["imgsz"], int64(96)) {
		t.Errorf("256 workers and 96 pixels came to %v and %v", o.res.Effective["workers"], o.res.Effective["imgsz"])
	}
}

func has(m map[string]float64, name string) bool { _, ok := m[name]; return ok }

// TestEditsInEveryPython: each edit finds its places with every Python that is there, from 3.8 on.
func TestEditsInEveryPython(t *testing.T) {
	real(t, yolov9.Config{}) // skips without a checkout
	abs, err := filepath.Abs("launcher")
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf(`import sys, types
sys.path.insert(0, %q)
sys.modules['numpy'] = types.ModuleType('numpy')
from mapsweep_launcher import edit, export, levers, ranks, run, scan, trace
root = %q
for script, loss in levers.LOSSES.items():
    edit.compile_edited(root + '/' + loss.replace('.', '/') + '.py', [levers.Gains({'box': 1.0, 'cls': 2.0, 'dfl': 3.0})])
    edit.compile_edited(root + '/' + script, [levers.WarmupFloor(0), levers.Validate(2), levers.Autocast(), levers.CloseMosaic(), *ranks.edits()])
edit.compile_edited(root + '/utils/dataloaders.py', [levers.LoaderSeed(3), levers.OrderSeed(3)])
`, abs, os.Getenv("YOLOV9_DIR"))
	tried := 0
	for minor := 8; minor <= 14; minor++ {
		python, err := exec.LookPath(fmt.Sprintf("python3.%d", minor))
		if err != nil || exec.Command(python, "--version").Run() != nil {
			t.Logf("there is no Python 3.%d to try", minor)
			continue
		}
		tried++
		if out, err := exec.Command(python, "-c", script).CombinedOutput(); err != nil {
			t.Errorf("Python 3.%d: %v\n%s", minor, err, out)
		}
	}
	if tried == 0 {
		t.Skip("needs python3.8 to python3.14, any of them, in PATH")
	}
}

// TestResumeRemembers: a run that goes on has what the official --resume forgets: that mosaic has ended, how long there
// was no better epoch, and which epoch is the best.
func TestResumeRemembers(t *testing.T) {
	b, job := real(t, yolov9.Config{BestEpoch: true})
	job.Epochs = 9
	job.Params = job.Params.With(trials.Params{"close_mosaic": int64(8), "patience": int64(2), "save_period": int64(1)})
	ctx, cancel := context.WithCancelCause(t.Context())
	train(ctx, b, job, func(m trials.Measurement) {
		if m.Epoch == 2 {
			cancel(errors.New("stopped"))
		}
	})
	path, epochs := b.Latest(job.Dir)
	if epochs < 2 {
		t.Fatalf("checkpoint of epoch %d, want 2", epochs)
	}
	// as if the first epoch had been good: the next is the second without a better one, and the last
	table := filepath.Join(job.Dir, "attempt-01", "results.csv")
	text, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	cells := strings.Split(lines[1], ",")
	cells[6], cells[7] = "0.9", "0.9"
	lines[1] = strings.Join(cells, ",")
	write(t, table, strings.Join(lines, ""))
	// and as if the script had died before best.pt
	if err := os.Remove(filepath.Join(filepath.Dir(path), "best.pt")); err != nil {
		t.Fatal(err)
	}
	job.Resume = path
	again := train(t.Context(), b, job, nil)
	if again.err != nil {
		t.Fatal(again.err)
	}
	if last := again.ms[len(again.ms)-1].Epoch; last != epochs+1 {
		t.Errorf("ended after epoch %d, want %d: patience is 2", last, epochs+1)
	}
	log, err := os.ReadFile(filepath.Join(job.Dir, "trial.log"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(log), "Closing dataloader mosaic"); n != 2 {
		t.Errorf("mosaic was closed %d times in two attempts", n)
	}
	if _, err := os.Stat(filepath.Join(job.Dir, "attempt-02", "weights", fmt.Sprintf("epoch%d.pt", epochs-1))); err != nil {
		t.Error(err)
	}
	if filepath.Base(again.res.Checkpoint) != "best.pt" {
		t.Errorf("checkpoint %s, want best.pt", again.res.Checkpoint)
	}
}

// TestRanksDieWithTorchrun: ranks are in sessions of their own, and must not outlive a torchrun that is killed.
func TestRanksDieWithTorchrun(t *testing.T) {
	b, job := real(t, yolov9.Config{GPUs: 2, CPURanks: true})
	job.Epochs = 50
	job.Params["seed_images"] = yolov9.SeedOn
	killed := 0
	o := train(t.Context(), b, job, func(m trials.Measurement) {
		for _, pid := range withEnvironment("MAPSWEEP_DIR=" + job.Dir) {
			line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			if bytes.Contains(line, []byte("torch.distributed.run")) && syscall.Kill(pid, syscall.SIGKILL) == nil {
				killed++
			}
		}
	})
	if o.err == nil || killed == 0 {
		t.Fatalf("torchrun was not killed: %v", o.err)
	}
	left := withEnvironment("MAPSWEEP_DIR=" + job.Dir)
	for i := 0; len(left) > 0 && i < 40; i++ { // data loaders look for their parent every few seconds
		time.Sleep(250 * time.Millisecond)
		left = withEnvironment("MAPSWEEP_DIR=" + job.Dir)
	}
	if len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
	process.KillLeftovers("MAPSWEEP_DIR=" + job.Dir)
}
