//go:build peers

package parity_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	epochData     = flag.String("epoch-data", "", "Pascal VOC folder of TestEpoch; default: MAPSWEEP_BCCD")
	epochCount    = flag.Int("epochs", 3, "epochs of each run of TestEpoch; the first is told apart")
	epochRounds   = flag.Int("epoch-rounds", 2, "rounds of TestEpoch; each runs every contender once, in turn")
	epochSize     = flag.Int("epoch-size", 320, "image size of TestEpoch")
	epochNetworks = flag.String("epoch-networks", "gelan-t,yolov9-t", "networks of TestEpoch, separated by commas")
	epochThreads  = flag.String("epoch-threads", "1,2", "numbers of threads of TestEpoch, separated by commas")
	epochWorkers  = flag.String("epoch-workers", "2,0", "numbers of loader processes of the official code, separated by commas")
)

// A training of TestEpoch in the words of both: names of the official hyper-parameter file are those of our knobs but for
// what stands below.
var (
	epochHyp = map[string]float64{"lr0": 0.01, "lrf": 0.01, "momentum": 0.937, "weight_decay": 0.0005, "warmup_epochs": 3, "warmup_momentum": 0.8,
		"warmup_bias_lr": 0.1, "box": 7.5, "cls": 0.5, "cls_pw": 1, "dfl": 1.5, "fl_gamma": 0, "hsv_h": 0.015, "hsv_s": 0.7, "hsv_v": 0.4, "degrees": 0,
		"translate": 0.1, "scale": 0.5, "shear": 0, "perspective": 0, "flipud": 0, "fliplr": 0.5, "mosaic": 1, "mixup": 0}
	epochTheirs = map[string]float64{"obj": 0.7, "obj_pw": 1, "iou_t": 0.2, "anchor_t": 5, "copy_paste": 0}
	epochOurs   = []string{"mosaic_layout=whole", "nominal_batch=64", "warmup_floor=100", "keep_area=0.1", "keep_side=2", "hsv_mode=hsv", "tal_rule=all"}
)

// TestEpoch times whole epochs of BCCD, pictures read from their files, augmented, trained on and scored after every
// epoch: `mapsweep train` against the official training script, from random weights, with the same settings, in turn. It
// prints images a second, processor time and the most memory, as medians over the rounds. It fails only if something
// does not run.
func TestEpoch(t *testing.T) {
	official := os.Getenv("YOLOV9_DIR")
	if official == "" {
		t.Skip("needs a checkout of the official code: set YOLOV9_DIR")
	}
	voc := bccd(t)
	python(t, "epoch.py")
	binary := filepath.Join(t.TempDir(), "mapsweep")
	if out, err := exec.Command("go", "build", "-o", binary, "../../../cmd/mapsweep").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, network := range strings.Split(*epochNetworks, ",") {
		for _, k := range numbers(t, *epochThreads) {
			t.Run(fmt.Sprintf("%s/%d", network, k), func(t *testing.T) {
				b := &epochBench{network: network, threads: k, binary: binary}
				b.checkout, _ = filepath.Abs(official)
				b.data, b.train, b.val = picturesOf(t, voc)
				b.run(t)
			})
		}
	}
}

func bccd(t *testing.T) string {
	t.Helper()
	dir := *epochData
	if dir == "" {
		dir = os.Getenv("MAPSWEEP_BCCD")
	}
	if _, err := os.Stat(filepath.Join(dir, "JPEGImages")); err != nil {
		t.Skipf("needs BCCD: %v; name its folder with -epoch-data or MAPSWEEP_BCCD", err)
	}
	return dir
}

type epochBench struct {
	network    string
	threads    int
	binary     string
	checkout   string
	data       string
	train, val int
}

// epochs are the figures of one run.
type epochs struct {
	images   int       // trained on in an epoch
	whole    []float64 // seconds of each epoch
	step     []float64 // of them in training, the rest scores and saves
	cpu      []float64 // processor seconds of each epoch but the first
	rss, pss int64
}

func (b *epochBench) run(t *testing.T) {
	contenders := slices.Clone(epochOurNames)
	for _, w := range strings.Split(*epochWorkers, ",") {
		contenders = append(contenders, "official, workers "+w)
	}
	found := map[string][]epochs{}
	for range *epochRounds {
		for _, name := range contenders {
			var e epochs
			if w, ok := strings.CutPrefix(name, "official, workers "); ok {
				e = b.official(t, w)
			} else {
				e = b.ours(t, strings.TrimPrefix(name, "mapsweep, "))
			}
			t.Logf("%s, %s: %+v", b.network, name, e)
			found[name] = append(found[name], e)
		}
	}
	b.print(t, contenders, found)
}

// epochOurNames are our contenders, each with the precision that it trains in.
var epochOurNames = []string{"mapsweep, fp32", "mapsweep, bf16"}

// ours trains with the binary. It trains on whole batches alone, and prints a line when an epoch is done.
func (b *epochBench) ours(t *testing.T, precision string) epochs {
	args := []string{"train", "--json", "--model", b.network, "--data", b.data, "--image-size", strconv.Itoa(*epochSize), "--batch", strconv.Itoa(benchBatch),
		"--epochs", strconv.Itoa(*epochCount), "--precision", precision, "--threads", strconv.Itoa(b.threads), "--dir", t.TempDir()}
	for name, v := range epochHyp {
		args = append(args, "--set", fmt.Sprintf("%s=%g", name, v))
	}
	for _, s := range epochOurs {
		args = append(args, "--set", s)
	}
	if strings.HasPrefix(b.network, "yolov9") {
		args = append(args, "--set", "aux=0.25")
	}
	c := exec.Command(b.binary, args...)
	c.Env = os.Environ()
	u := observe(t, c, b.threads)
	e := epochs{images: b.train / benchBatch * benchBatch, rss: u.rss, pss: u.pss}
	for i, m := range u.marks {
		var line struct {
			Metrics map[string]float64 `json:"metrics"`
		}
		if err := json.Unmarshal([]byte(m.text), &line); err != nil {
			t.Fatalf("%v: %s", err, m.text)
		}
		whole := line.Metrics["time/epoch"]
		if i > 0 {
			e.cpu = append(e.cpu, m.cpu-u.marks[i-1].cpu)
		}
		e.whole = append(e.whole, whole)
		e.step = append(e.step, whole-line.Metrics["time/image"]*float64(b.val))
	}
	return e
}

// official trains with the official script of the network's kind.
func (b *epochBench) official(t *testing.T, workers string) epochs {
	script := "train.py"
	if strings.HasPrefix(b.network, "yolov9") {
		script = "train_dual.py"
	}
	dir := t.TempDir()
	hyp := filepath.Join(dir, "hyp.yaml")
	var text strings.Builder
	for _, m := range []map[string]float64{epochHyp, epochTheirs} {
		for name, v := range m {
			fmt.Fprintf(&text, "%s: %f\n", name, v)
		}
	}
	if err := os.WriteFile(hyp, []byte(text.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	c := python(t, "epoch.py", b.checkout, script, "--cfg", filepath.Join(b.checkout, "models", "detect", b.network+".yaml"), "--data", b.data, "--hyp", hyp,
		"--imgsz", strconv.Itoa(*epochSize), "--batch-size", strconv.Itoa(benchBatch), "--epochs", strconv.Itoa(*epochCount), "--device", "cpu",
		"--workers", workers, "--cache", "ram", "--noplots", "--weights", "", "--project", dir, "--name", "run")
	c.Env = append(c.Env, "EPOCH_CONFIG="+filepath.Join(dir, "config"))
	u := observe(t, c, b.threads)
	e := epochs{images: b.train, rss: u.rss, pss: u.pss}
	began := map[string]mark{}
	for _, m := range u.marks {
		name, _, _ := strings.Cut(m.text, " ")
		switch from := began["epoch"]; name {
		case "trained":
			e.step = append(e.step, m.wall.Sub(from.wall).Seconds())
		case "scored":
			if len(e.whole) == *epochCount {
				continue // the last one again, of the best weights
			}
			if last, again := began[name]; again {
				from = last // with the saving of the last epoch, as ours
				e.cpu = append(e.cpu, m.cpu-from.cpu)
			}
			e.whole = append(e.whole, m.wall.Sub(from.wall).Seconds())
		}
		began[name] = m
	}
	return e
}

func (b *epochBench) print(t *testing.T, contenders []string, found map[string][]epochs) {
	over := func(name string, f func(epochs) float64) float64 {
		var all []float64
		for _, e := range found[name] {
			if len(e.whole) != *epochCount || len(e.step) != *epochCount {
				t.Fatalf("%s: %d epochs were seen, of %d", name, len(e.whole), *epochCount)
			}
			all = append(all, f(e))
		}
		return median(all)
	}
	later := func(v []float64) float64 { return median(v[min(1, len(v)-1):]) }
	measures := []struct {
		name string
		more bool // is better
		of   func(epochs) float64
	}{
		{"first epoch, s", false, func(e epochs) float64 { return e.whole[0] }},
		{"later, s", false, func(e epochs) float64 { return later(e.whole) }},
		{"images/s", true, func(e epochs) float64 { return float64(e.images) / later(e.whole) }},
		{"training alone", true, func(e epochs) float64 { return float64(e.images) / later(e.step) }},
		{"cpu ms/image", false, func(e epochs) float64 { return 1e3 * later(append([]float64{0}, e.cpu...)) / float64(e.images) }},
		{"RSS, MiB", false, func(e epochs) float64 { return float64(e.rss >> 20) }},
		{"PSS, MiB", false, func(e epochs) float64 { return float64(e.pss >> 20) }},
	}
	t.Logf("%s, %d px, batch %d, %d threads, %d train and %d val images, %d epochs, median of %d rounds", b.network, *epochSize, benchBatch, b.threads, b.train, b.val,
		*epochCount, *epochRounds)
	head := fmt.Sprintf("  %-16s", "")
	for _, name := range contenders {
		head += fmt.Sprintf(" %20s", name)
	}
	t.Log(head + "   ours is better by (each official one: " + strings.Join(epochOurNames, "; ") + ")")
	for _, m := range measures {
		line := fmt.Sprintf("  %-16s", m.name)
		var ratios []string
		for _, name := range contenders {
			v := over(name, m.of)
			line += fmt.Sprintf(" %20.1f", v)
			if slices.Contains(epochOurNames, name) {
				continue
			}
			for _, our := range epochOurNames {
				r := v / over(our, m.of)
				if m.more {
					r = 1 / r
				}
				ratios = append(ratios, fmt.Sprintf("%.2f", r))
			}
		}
		t.Log(line + "   " + strings.Join(ratios, ", "))
	}
	if !slices.ContainsFunc(found[epochOurNames[0]], func(e epochs) bool { return e.rss > 0 }) {
		t.Error("no memory of ours was seen")
	}
}
