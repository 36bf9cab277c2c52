package yolov9_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/yolov9"
	"github.com/mapsweep/mapsweep/trainer/yolov9/standin"
	"github.com/mapsweep/mapsweep/trials"
)

const pastHeader = `               epoch,      train/box_loss,      train/cls_loss,      train/dfl_loss,   metrics/precision,      metrics/recall,     metrics/mAP_0.5,metrics/mAP_0.5:0.95,        val/box_loss,        val/cls_loss,        val/dfl_loss,               x/lr0,               x/lr1,               x/lr2` + "\n"

// pastRow is a row as the official code writes it; val is that of the three validation losses.
func pastRow(epoch int, box, ap, val float64) string {
	cells := []string{fmt.Sprintf("%20d", epoch)}
	scored := min(1, ap*1e6) // not validated: zeros
	for _, v := range []float64{box, 2, 1.5, 0.5 * scored, 0.4 * scored, ap + 0.1*scored, ap, val, val, val, 0.09, 0.001, 0.002} {
		text := fmt.Sprintf("%.5g", v)
		if math.IsNaN(v) {
			text = "nan"
		}
		cells = append(cells, fmt.Sprintf("%20s", text))
	}
	return strings.Join(cells, ",") + "\n"
}

const pastOpt = `weights: ''
cfg: /home/me/yolov9/models/detect/gelan-c.yaml
data: data/mine.yaml
hyp:
  lr0: 0.01
epochs: 3
batch_size: 16
imgsz: 640
rect: false
resume: false
noval: false
evolve: null
cache: ram
optimizer: AdamW
workers: 8
noplots: true
freeze:
- 0
seed: 7
local_rank: -1
flat_cos_lr: false
label_smoothing: 0.0
save_dir: runs/train/exp
`

const pastHyp = "lr0: 0.01\nweight_decay: 5.0e-05\nmosaic: 1.0\nmixup: 0.15\nbox: 7.5\nautoaugment: randaugment\n"

// pastDir writes a run folder; a file whose text is "" is not there.
func pastDir(t *testing.T, opt, hyp, results string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"opt.yaml": opt, "hyp.yaml": hyp, "results.csv": results} {
		if text == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadPast(t *testing.T) {
	dir := pastDir(t, pastOpt, pastHyp, pastHeader+pastRow(0, 6, 0.1, 0)+pastRow(1, 5, 0.2, 0)+pastRow(1, 4, 0.3, 0)+pastRow(2, 3, 0.4, 0)+pastRow(2, 3, 0.4, 0))
	p, err := yolov9.ReadPast(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := trials.Params{"lr0": 0.01, "weight_decay": 5e-5, "mosaic": int64(1), "mixup": 0.15, "box": 7.5, "weights": "", "cfg": "gelan-c",
		"batch_size": int64(16), "imgsz": int64(640), "rect": false, "noval": false, "cache": "ram", "optimizer": "AdamW", "workers": int64(8),
		"freeze": "0", "flat_cos_lr": false, "label_smoothing": int64(0)}
	if got := p.Params.Key(); got != want.Key() {
		t.Errorf("parameters\n%s\nwant\n%s", got, want.Key())
	}
	if p.Seed != 7 || p.Epochs != 3 || p.Data != "data/mine.yaml" || p.Model != "gelan-c" || p.Dir != dir || len(p.Hash) != 64 || p.Diverged != "" || len(p.Files) != 2 {
		t.Errorf("%+v", p)
	}
	if len(p.Notes) != 1 || p.Notes[0] != "hyp.yaml has autoaugment, which the official trainer ignores" {
		t.Errorf("notes %q", p.Notes)
	}
	if len(p.Measurements) != 3 || p.Measurements[0].Epoch != 1 || p.Measurements[1].Metrics["mAP50-95"] != 0.3 || p.Measurements[2].Metrics["loss/box"] != 3 {
		t.Errorf("measurements %v", p.Measurements)
	}
	m := p.Measurements[2].Metrics
	if _, ok := m["val-loss/box"]; ok || m["lr/weights"] != 0.001 || math.Abs(m["fitness"]-0.41) > 1e-12 {
		t.Errorf("metrics %v", m)
	}
	again, err := yolov9.ReadPast(dir)
	if err != nil || again.Hash != p.Hash {
		t.Errorf("read again: %s, %v", again.Hash, err)
	}
}

func TestReadPastOdd(t *testing.T) {
	rows := pastHeader + pastRow(0, 6, 0.1, 2) + pastRow(1, 5, 0.2, 2)
	tests := []struct {
		name, opt, hyp, results string
		epochs                  int
		diverged, note          string
	}{
		{"validation losses", pastOpt, pastHyp, rows, 2, "", ""},
		{"no rows", pastOpt, pastHyp, "", 0, "", ""},
		{"hyp in opt only", pastOpt, "", rows, 2, "", ""},
		{"diverged", pastOpt, pastHyp, rows + pastRow(2, math.NaN(), 0, 0), 3, "loss/box is NaN at epoch 3", ""},
		{"used folder", pastOpt, pastHyp, rows + pastRow(2, 1, 0.9, 2) + pastRow(0, 6, 0.1, 2), 1, "", "results.csv begins with 3 rows of an earlier run in the same folder"},
		{"cut off", pastOpt, pastHyp, rows + "   2, 3.4", 2, "", "1 of 3 lines of the table make no sense"},
		{"only the last validated", strings.Replace(pastOpt, "noval: false", "noval: true", 1), pastHyp, pastHeader + pastRow(0, 6, 0, 0) + pastRow(1, 6, 0, 0) + pastRow(2, 5, 0.2, 2), 3, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := yolov9.ReadPast(pastDir(t, tt.opt, tt.hyp, tt.results))
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Measurements) != tt.epochs || p.Diverged != tt.diverged || !strings.Contains(strings.Join(p.Notes, "; "), tt.note) {
				t.Errorf("%d epochs, diverged %q, notes %q", len(p.Measurements), p.Diverged, p.Notes)
			}
			if tt.name == "validation losses" && p.Measurements[0].Metrics["val-loss/box"] != 2 {
				t.Errorf("metrics %v", p.Measurements[0].Metrics)
			}
			if _, scored := first(p)["mAP50"]; tt.name == "only the last validated" && scored {
				t.Error("an epoch that was not validated has a score")
			}
		})
	}
}

func TestDumpedSettings(t *testing.T) {
	opt := strings.Replace(pastOpt, "data: data/mine.yaml", "data: /a/very long/path that is wrapped\n  because of its/length/data.yaml", 1)
	opt = strings.Replace(opt, "freeze:\n- 0\n", "freeze: [0, 1]\n", 1)
	opt = strings.Replace(opt, "weights: ''", "weights: 'it''s.pt'", 1)
	hyp := "# by hand\nlr0: 1e-2  # initial\nlrf: .5\nmosaic: 1\n"
	p, err := yolov9.ReadPast(pastDir(t, opt, hyp, pastHeader))
	if err != nil {
		t.Fatal(err)
	}
	if p.Data != "/a/very long/path that is wrapped because of its/length/data.yaml" || p.Params["freeze"] != "0 1" || p.Params["weights"] != "it's.pt" ||
		p.Params["lr0"] != 0.01 || p.Params["lrf"] != 0.5 || p.Params["mosaic"] != int64(1) {
		t.Errorf("data %q, %v", p.Data, p.Params)
	}
}

func TestReadPastRefuses(t *testing.T) {
	for _, tt := range []struct{ name, opt, hyp, results, says string }{
		{"no opt", "", pastHyp, pastHeader, "no run of the official trainer"},
		{"no hyp", strings.Replace(pastOpt, "hyp:\n  lr0: 0.01\n", "", 1), "", pastHeader, "it has no hyp.yaml"},
		{"evolve", strings.Replace(pastOpt, "evolve: null", "evolve: 300", 1), pastHyp, pastHeader, "--evolve"},
		{"not YAML", pastOpt, "a: b\n  c d\ne f\n", pastHeader, "hyp.yaml: not YAML of settings: line 3"},
		{"text for a number", pastOpt, "lr0: fast", pastHeader, "lr0 is fast, which is no value of it"},
		{"another table", pastOpt, pastHyp, "epoch,loss\n0,1\n", "it has no column train/box_loss"},
		{"no epochs", strings.Replace(pastOpt, "epochs: 3", "epochs: many", 1), pastHyp, pastHeader, "nothing usable of epochs"},
	} {
		if _, err := yolov9.ReadPast(pastDir(t, tt.opt, tt.hyp, tt.results)); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.says)
		}
	}
}

func TestPastDirs(t *testing.T) {
	top := t.TempDir()
	for _, name := range []string{"exp2", "exp", "other"} {
		if err := os.Mkdir(filepath.Join(top, name), 0o777); err != nil {
			t.Fatal(err)
		}
		if name != "other" {
			if err := os.WriteFile(filepath.Join(top, name, "opt.yaml"), nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	dirs, err := yolov9.PastDirs(top)
	if err != nil || len(dirs) != 2 || filepath.Base(dirs[0]) != "exp" {
		t.Errorf("%v, %v", dirs, err)
	}
	if _, err := yolov9.PastDirs(filepath.Join(top, "other")); !errors.Is(err, yolov9.ErrNoRun) {
		t.Errorf("a folder without runs: %v", err)
	}
}

// first are the metrics of the first epoch, if there is one.
func first(p yolov9.Past) map[string]float64 {
	if len(p.Measurements) == 0 {
		return nil
	}
	return p.Measurements[0].Metrics
}

// FuzzReadPast: whatever the files hold, nothing panics, and epochs count from 1.
func FuzzReadPast(f *testing.F) {
	f.Add([]byte(pastOpt), []byte(pastHyp), []byte(pastHeader+pastRow(0, 1, 0.5, 0)))
	f.Add([]byte("epochs: 1\nfreeze: [[1]]\n"), []byte("lr0: .inf"), []byte("epoch\n0\n1\n0\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, opt, hyp, results []byte) {
		for name, data := range map[string][]byte{"opt.yaml": opt, "hyp.yaml": hyp, "results.csv": results} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		p, err := yolov9.ReadPast(dir)
		for _, m := range p.Measurements {
			if err == nil && m.Epoch < 1 {
				t.Errorf("epoch %d", m.Epoch)
			}
		}
	})
}

// TestReadPastOfOurs: a trial of mapsweep has a data.yaml of its own and levers that the official files do not name.
func TestReadPastOfOurs(t *testing.T) {
	for _, box := range []float64{7.5, 10.5} {
		b, job := subject(t, yolov9.Config{}, standin.Rule{Do: standin.DoSlow, MS: 1})
		job.Params["box"], job.Params["ema"] = box, false
		if o := train(t.Context(), b, job, nil); o.err != nil {
			t.Fatal(o.err)
		}
		dir := filepath.Join(job.Dir, "attempt-01")
		for name, text := range map[string]string{"opt.yaml": pastOpt, "hyp.yaml": pastHyp} { // the stand-in writes neither
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		p, err := yolov9.ReadPast(dir)
		if err != nil {
			t.Fatal(err)
		}
		if !p.Ours || p.Params["ema"] != false || p.Data != job.Data {
			t.Errorf("ema %v, data %q; want false and %q", p.Params["ema"], p.Data, job.Data)
		}
	}
	if got := yolov9.Ignored([]string{"box", "obj"}, true); len(got) != 1 || got["obj"] == "" {
		t.Errorf("ignored although mapsweep started the runs: %v, want obj alone", got)
	}
}
