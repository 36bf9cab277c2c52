package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Stand-ins for the trainers of the recipes in docs/BACKENDS.md. They take the same arguments, write the same files in
// the same order, and know nothing of mapsweep. STANDIN_PAUSE is the time of an epoch.

// recipeCommand writes the nth block of a language below a heading of docs/BACKENDS.md: recipe HEADING LANGUAGE FILE
func recipeCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: recipe HEADING LANGUAGE FILE")
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "BACKENDS.md"))
	ts.Check(err)
	_, part, found := strings.Cut(string(page), "\n## "+args[0]+"\n")
	if !found {
		ts.Fatalf("docs/BACKENDS.md has no heading %q", args[0])
	}
	part, _, _ = strings.Cut(part, "\n## ")
	_, block, found := strings.Cut(part, "\n```"+args[1]+"\n")
	block, _, ended := strings.Cut(block, "\n```\n")
	if !found || !ended {
		ts.Fatalf("there is no block of %s below %q", args[1], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(block+"\n"), 0o666))
}

func pause(part float64) {
	d, err := time.ParseDuration(os.Getenv("STANDIN_PAUSE"))
	if err != nil {
		d = 20 * time.Millisecond
	}
	time.Sleep(time.Duration(part * float64(d)))
}

// yoloState is what the stand-in of Ultralytics keeps in a checkpoint.
type yoloState struct {
	Epoch int // finished, from 0; -1: training is over and the optimiser's state was stripped
	Args  map[string]string
}

// yoloKeys are the settings that the stand-in knows, of the many of Ultralytics.
var yoloKeys = []string{"model", "data", "epochs", "imgsz", "batch", "seed", "optimizer", "patience", "plots", "project", "name", "exist_ok",
	"resume", "device", "lr0", "lrf", "momentum", "mosaic", "mixup", "cos_lr", "box"}

// yolo is the stand-in of Ultralytics 8: yolo detect train key=value ...
func yolo() {
	if err := yoloTrain(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func yoloTrain(words []string) error {
	if len(words) < 2 || words[0] != "detect" || words[1] != "train" {
		return fmt.Errorf("SyntaxError: %q: this stand-in knows 'detect train' only", words)
	}
	args := map[string]string{"name": "train", "exist_ok": "False", "optimizer": "auto"}
	for _, w := range words[2:] {
		key, val, ok := strings.Cut(w, "=")
		if !ok || !slices.Contains(yoloKeys, key) {
			return fmt.Errorf("SyntaxError: '%s' is not a valid YOLO argument", w)
		}
		args[key] = val
	}
	from := 0
	if args["resume"] != "" {
		if args["resume"] != "True" || args["model"] == "" { // without model= it wants to load, or download, its default one
			return errors.New("ConnectionError: Download failure for yolo26n.pt. Environment may be offline")
		}
		state, err := readState(args["model"])
		if err != nil {
			return fmt.Errorf("FileNotFoundError: Resume checkpoint not found: %w", err)
		}
		if state.Epoch < 0 {
			return errors.New("AssertionError: training is finished, nothing to resume")
		}
		args, from = state.Args, state.Epoch+1
	}
	if _, err := os.Stat(args["data"]); err != nil {
		return fmt.Errorf("RuntimeError: Dataset '%s' error", args["data"])
	}
	dir := filepath.Join(args["project"], args["name"])
	if _, err := os.Stat(dir); err == nil && from == 0 && args["exist_ok"] != "True" {
		dir += "2"
	}
	return yoloRun(dir, args, from)
}

func yoloRun(dir string, args map[string]string, from int) error {
	table, last := filepath.Join(dir, "results.csv"), filepath.Join(dir, "weights", "last.pt")
	if err := os.MkdirAll(filepath.Dir(last), 0o777); err != nil {
		return err
	}
	if from == 0 {
		if err := os.Remove(table); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	epochs, err := strconv.Atoi(args["epochs"])
	if err != nil {
		return fmt.Errorf("TypeError: 'epochs=%s' is of invalid type", args["epochs"])
	}
	fmt.Printf("yolo trains from epoch %d to %d in %s\n", from+1, epochs, dir)
	for e := from; e < epochs; e++ {
		pause(0.8)
		if err := appendRow(table, e, args); err != nil {
			return err
		}
		pause(0.1)
		if err := writeState(last, yoloState{e, args}); err != nil {
			return err
		}
		pause(0.1)
	}
	return writeState(last, yoloState{-1, args})
}

// appendRow writes a row as Ultralytics does: header with the first one, epochs from 1, six digits.
func appendRow(table string, epoch int, args map[string]string) error {
	num := func(key string) float64 { x, _ := strconv.ParseFloat(args[key], 64); return x }
	score := 0.4 + 0.1*num("mosaic") - 10*(num("lr0")-0.01)*(num("lr0")-0.01) + float64(int(num("seed"))%13)/500 + float64(int(num("seed"))%7)*num("mosaic")/2000
	if args["cos_lr"] == "true" {
		score += 0.01
	}
	score *= 1 - 1/float64(epoch+2)
	_, err := os.Stat(table)
	f, err2 := os.OpenFile(table, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err2 != nil {
		return err2
	}
	row := ""
	if err != nil {
		row = "epoch,time,train/box_loss,train/cls_loss,train/dfl_loss,metrics/precision(B),metrics/recall(B),metrics/mAP50(B),metrics/mAP50-95(B),val/box_loss,val/cls_loss,val/dfl_loss,lr/pg0,lr/pg1,lr/pg2\n"
	}
	row += fmt.Sprintf("%d,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,nan,%.6g,%.6g,%.6g\n", epoch+1, 1.5*float64(epoch+1), 3/float64(epoch+1), 2/float64(epoch+1), 1.0,
		score, score/2, 1.5*score, score, 3.5, 2.5, num("lr0"), num("lr0"), num("lr0"))
	_, err = f.WriteString(row)
	return errors.Join(err, f.Close())
}

// writeState writes in place, as Ultralytics does: for a moment the file is torn.
func writeState(path string, s yoloState) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, data[:len(data)/2], 0o666); err != nil {
		return err
	}
	pause(0.1)
	return os.WriteFile(path, data, 0o666)
}

func readState(path string) (yoloState, error) {
	var s yoloState
	data, err := os.ReadFile(path)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(data, &s)
}

// declared finds the flags of a script with argparse.
var declared = regexp.MustCompile(`add_argument\("--([a-z-]+)"(.*)\)`)

// python is the stand-in of Python with a script of the recipe's kind: it takes the flags that the script declares, and
// reports a formula.
func python() {
	if err := runScript(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "train.py: error: %v\n", err)
		os.Exit(2)
	}
}

func runScript(args []string) error {
	if len(args) == 0 {
		return errors.New("no script")
	}
	script, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	takes := map[string]bool{} // flag: has a value
	for _, m := range declared.FindAllStringSubmatch(string(script), -1) {
		takes[m[1]] = !strings.Contains(m[2], "store_true")
	}
	given := map[string]string{}
	for _, a := range args[1:] {
		flag, val, has := strings.Cut(strings.TrimPrefix(a, "--"), "=")
		if want, known := takes[flag]; !known || want != has || !strings.HasPrefix(a, "--") {
			return fmt.Errorf("unrecognized arguments: %s", a)
		}
		given[flag] = val
	}
	_, nesterov := given["nesterov"]
	num := func(flag string) float64 { x, _ := strconv.ParseFloat(given[flag], 64); return x }
	from := 0
	if path := given["resume"]; path != "" {
		state, err := readState(path)
		if err != nil {
			return err
		}
		from = state.Epoch
	}
	for e := from + 1; e <= int(num("epochs")); e++ {
		pause(1)
		score := 0.5 + num("lr") - 10*num("weight-decay") + float64(int(num("seed"))%13)/100 + float64(int(num("seed"))%7)*num("lr")/100
		if nesterov {
			score += 0.05
		}
		path := filepath.Join(given["out"], "last.pt")
		if err := writeState(path, yoloState{Epoch: e}); err != nil {
			return err
		}
		line, err := json.Marshal(map[string]any{"epoch": e, "score": score, "loss/train": 1 - score, "checkpoint": path})
		if err != nil {
			return err
		}
		f, err := os.OpenFile(os.Getenv("MAPSWEEP_METRICS"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(f, "%s\n", line); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// pastrunCommand writes the folder of a run of the official YOLOv9 as its scripts leave it: pastrun DIR key=value ...
// Settings are epochs (10), rows (epochs), seed (0), data, nan (epoch from 0 with losses that are no numbers), score (of the
// last row), val (validation losses, 0 as the dual script writes them); others are hyper-parameters.
func pastrunCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: pastrun DIR [key=value ...]")
	}
	set := map[string]string{"epochs": "10", "seed": "0", "data": "mine.yaml", "nan": "-1", "score": "0.5", "val": "0", "optimizer": "SGD"}
	hyp := map[string]string{"lr0": "0.01", "lrf": "0.01", "mosaic": "1.0", "mixup": "0.15", "box": "7.5"}
	for _, a := range args[1:] {
		key, val, _ := strings.Cut(a, "=")
		if _, known := hyp[key]; known || key == "autoaugment" {
			hyp[key] = val
		} else {
			set[key] = val
		}
	}
	if set["rows"] == "" {
		set["rows"] = set["epochs"]
	}
	num := func(key string) float64 {
		x, err := strconv.ParseFloat(set[key], 64)
		ts.Check(err)
		return x
	}
	var text, inner strings.Builder
	for _, key := range slices.Sorted(maps.Keys(hyp)) {
		fmt.Fprintf(&text, "%s: %s\n", key, hyp[key])
		fmt.Fprintf(&inner, "  %s: %s\n", key, hyp[key])
	}
	dir := ts.MkAbs(args[0])
	opt := fmt.Sprintf("weights: ''\ncfg: models/detect/gelan-c.yaml\ndata: %s\nhyp:\n%sepochs: %s\nbatch_size: 16\nimgsz: 640\nnoval: false\nevolve: null\ncache: null\noptimizer: %s\nworkers: 8\nfreeze:\n- 0\nseed: %s\nflat_cos_lr: false\nsave_dir: %s\n",
		set["data"], inner.String(), set["epochs"], set["optimizer"], set["seed"], args[0])
	header := []string{"epoch", "train/box_loss", "train/cls_loss", "train/dfl_loss", "metrics/precision", "metrics/recall", "metrics/mAP_0.5", "metrics/mAP_0.5:0.95",
		"val/box_loss", "val/cls_loss", "val/dfl_loss", "x/lr0", "x/lr1", "x/lr2"}
	table := padded(header)
	for e := range int(num("rows")) {
		loss, score := fmt.Sprintf("%.5g", 5/float64(e+1)), num("score")*float64(e+1)/num("rows")
		if nan := int(num("nan")); nan >= 0 && e >= nan {
			loss, score = "nan", 0
		}
		s := fmt.Sprintf("%.5g", score)
		table += padded([]string{strconv.Itoa(e), loss, "2", "1.5", s, s, s, s, set["val"], set["val"], set["val"], "0.1", "0.001", "0.001"})
	}
	ts.Check(os.MkdirAll(filepath.Join(dir, "weights"), 0o777))
	files := map[string]string{"opt.yaml": opt, "hyp.yaml": text.String(), "results.csv": table}
	if num("rows") == 0 {
		delete(files, "results.csv")
	}
	for name, text := range files {
		ts.Check(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666))
	}
}

func padded(cells []string) string {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = fmt.Sprintf("%20s", c)
	}
	return strings.Join(row, ",") + "\n"
}
