package yolov9

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/yolov9/preflight"
	"github.com/mapsweep/mapsweep/trials"
)

// Config says which checkout trains, with which Python.
type Config struct {
	Checkout   string        // folder of the official code; "": $YOLOV9_DIR
	Python     string        // interpreter; "": $YOLOV9_PYTHON, else python3
	Model      string        // name or path of a model file
	Data       []string      // data.yaml of each data set
	ImageSize  int           // pixels; 0: 640
	Epochs     int           // length of a run whose job leaves it open
	Batch      int           // pictures in a batch over all GPUs; 0: 16
	Device     string        // auto, cpu, cuda, cuda:0 ...
	GPUs       int           // GPUs of one trial; 0: one, if there are any
	Split      string        // split that is scored; the official script scores val only
	Replicates int           // of the study: with more than one, the picture stream depends on the seed
	BestEpoch  bool          // the study reads the best epoch, so that best.pt is the checkpoint that counts
	COCO       bool          // also score the final weights by COCO average precision
	NoMatches  bool          // with COCO: do not keep which detections matched which objects
	Timeout    time.Duration // of one trial; 0: none
	Kept       int           // trials whose checkpoints stay, for the check of the disk
	Parallel   int           // trials at once, for the same
	Out        string        // folder that a study writes to, for the check of the disk
	Log        *slog.Logger
	// CPURanks starts trainer.gpus processes on the CPU over gloo, to test what several GPUs do.
	CPURanks bool
}

// Names of what lies in a trial's directory.
const (
	logName    = "trial.log"
	dataName   = "data.yaml" // with absolute paths
	configName = "config"    // where the official code looks for its font
)

const (
	pollEvery = 100 * time.Millisecond // how often results are looked for
	grace     = 3 * time.Second        // from SIGTERM to SIGKILL
	saving    = 45 * time.Second       // most that a stop waits for the checkpoint of a finished epoch
	tailLines = 60                     // lines of the log that a Failure keeps
)

// Backend trains with a checkout of the official code; it is a trainer.Backend. Trials may run at once.
type Backend struct {
	cfg Config

	mu       sync.Mutex
	scanned  map[string]error // data sets whose label cache is there
	intended map[string][]any // values that the study will try, by knob

	checking sync.Mutex
	checked  *preflight.Report
	warned   atomic.Bool // once is enough, however often a command prepares
}

var _ interface {
	trainer.Backend
	trainer.Preparer
	trainer.Preflighter
	trainer.Describer
	trainer.Measurer
	trainer.Resumer
	trainer.Rereporter
	trainer.Stopper
	trainer.Checker
	trainer.Cleaner
} = (*Backend)(nil)

// New fills in defaults. It looks for nothing on disk; Prepare does.
func New(cfg Config) (*Backend, error) {
	if cfg.Checkout == "" {
		cfg.Checkout = os.Getenv("YOLOV9_DIR")
	}
	if cfg.Checkout == "" {
		return nil, errors.New("no checkout of the official YOLOv9: name its folder under trainer.checkout, or in the environment variable YOLOV9_DIR")
	}
	if cfg.Python == "" {
		cfg.Python = os.Getenv("YOLOV9_PYTHON")
	}
	if cfg.Python == "" {
		cfg.Python = "python3"
	}
	if cfg.Model == "" {
		return nil, errors.New("no model: name one under trainer.model, for instance gelan-t or yolov9-s")
	}
	if cfg.Split != "" && cfg.Split != "val" {
		return nil, fmt.Errorf("objective.split is %s: the official scripts score the validation pictures only; name the test pictures as val: in another data.yaml", cfg.Split)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	abs, err := filepath.Abs(cfg.Checkout)
	if err != nil {
		return nil, fmt.Errorf("find checkout: %w", err)
	}
	cfg.Checkout = abs
	cfg.Model = absolute(cfg.Model, isFile)
	return &Backend{cfg: cfg, scanned: map[string]error{}}, nil
}

// gpus is the number of ranks of one trial.
func (b *Backend) gpus() int {
	if b.onCPU() && !b.cfg.CPURanks {
		return 1
	}
	return max(1, b.cfg.GPUs)
}

func (b *Backend) onCPU() bool { return b.cfg.Device == "cpu" }

// Metrics names what results.csv has, and what is made of it.
func (b *Backend) Metrics() []string {
	names := []string{"mAP50-95", "mAP50", "precision", "recall", "fitness", "loss/box", "loss/cls", "loss/dfl",
		"val-loss/box", "val-loss/cls", "val-loss/dfl", "lr/bias", "lr/weights", "lr/norm", "time/epoch"}
	if b.cfg.COCO {
		names = append(names, "coco/")
	}
	return names
}

// CheckParams refuses what no trial could run, before anything starts.
func (b *Backend) CheckParams(baseline trials.Params, levels map[string][]any) error {
	b.intends(baseline, levels)
	var names []string
	for n := range levels {
		names = append(names, n)
	}
	if err := CheckNames(append(names, baseline.Names()...)); err != nil {
		return err
	}
	var faults []error
	seen := map[string]bool{}
	try := func(p trials.Params) {
		for n, v := range p {
			k, ok := find(n)
			if free := k.Kind == trials.Categorical && len(k.Choices) == 0; !ok || !free && k.accept(v) != nil {
				return // names, types and ranges are studies.Validate's
			}
		}
		set, err := b.resolve(p, 0, false)
		if err == nil {
			err = b.fits(set.values)
		}
		if err != nil && !seen[err.Error()] {
			seen[err.Error()] = true
			faults = append(faults, err)
		}
	}
	try(baseline)
	for n, values := range levels {
		for _, v := range values {
			try(baseline.With(trials.Params{n: v}))
		}
	}
	return errors.Join(faults...)
}

// fits refuses flags that the script of the model does not have. A model that cannot be read is the preflight's business.
func (b *Backend) fits(v trials.Params) error {
	model, _ := v["cfg"].(string)
	script, _, err := b.scriptOf(model)
	if err != nil || script != scriptTriple {
		return nil
	}
	for _, name := range []string{"flat_cos_lr", "fixed_lr"} {
		if v[name] == true {
			return fmt.Errorf("%s is true, and %s, which trains %s, has no such flag: leave it out, or take a model of another script", name, script, model)
		}
	}
	return nil
}

// python finds the interpreter.
func (b *Backend) python() (string, error) {
	name := b.cfg.Python
	if strings.ContainsRune(name, filepath.Separator) && !filepath.IsAbs(name) {
		abs, err := filepath.Abs(name)
		if err != nil {
			return "", fmt.Errorf("find Python: %w", err)
		}
		name = abs
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("find Python: %w: name an interpreter that can run the official code under trainer.python or in YOLOV9_PYTHON", err)
	}
	return path, nil
}

func pathExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}
