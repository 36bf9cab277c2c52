package yolov9

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/mapsweep/mapsweep/trainer/internal/table"
	"github.com/mapsweep/mapsweep/trials"
)

// Each start of a trial has a folder of its own in the trial's directory, attempt-01 and so on: the official
// code appends to what it finds, so a used one is never given to it again.

const attemptPrefix = "attempt-"

// attempts lists the attempt folders of a trial by number.
func attempts(dir string) []string {
	var found []string
	entries, _ := os.ReadDir(dir) // not Glob: the path may have brackets
	for _, e := range entries {
		if path := filepath.Join(dir, e.Name()); strings.HasPrefix(e.Name(), attemptPrefix) && attemptNumber(path) > 0 && isDir(path) {
			found = append(found, path)
		}
	}
	slices.SortFunc(found, func(a, b string) int { return attemptNumber(a) - attemptNumber(b) })
	return found
}

func attemptNumber(path string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(path), attemptPrefix))
	if err != nil {
		return 0
	}
	return n
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// newAttempt is the folder of the next attempt; the official code makes it.
func newAttempt(dir string) string {
	n := 0
	for _, a := range attempts(dir) {
		n = attemptNumber(a)
	}
	return filepath.Join(dir, fmt.Sprintf("%s%02d", attemptPrefix, n+1))
}

// saved is what the launcher notes beside last.pt.
type saved struct {
	Epoch     int    `json:"epoch"` // from 0; -1: unknown
	Bytes     int64  `json:"bytes"`
	Ended     bool   `json:"ended"`      // training has ended: there is nothing to go on with
	Best      bool   `json:"best"`       // it is the best epoch so far, so that best.pt is the same, or will be
	BestEpoch *int   `json:"best_epoch"` // epoch of best.pt, from 0; nil or negative: unknown
	Inode     uint64 `json:"inode"`
	Before    *saved `json:"before"` // what was there until the file with this inode is in its place
}

// checkpoint reads the note of an attempt; ok is false without a whole checkpoint.
func checkpoint(attempt string) (path string, s saved, ok bool) {
	path = filepath.Join(attempt, "weights", "last.pt")
	st, err := os.Stat(path)
	if err != nil || !st.Mode().IsRegular() {
		return "", s, false
	}
	data, err := os.ReadFile(filepath.Join(attempt, "weights", "last.json"))
	if err != nil || json.Unmarshal(data, &s) != nil {
		return "", saved{}, false
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok && s.Before != nil && sys.Ino != s.Inode {
		s = *s.Before
	}
	if s.Epoch < 0 || s.Bytes == 0 {
		return "", saved{}, false
	}
	return path, s, true
}

// Latest implements trainer.Resumer: the checkpoint of the newest attempt that left one.
func (b *Backend) Latest(dir string) (path string, epoch int) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", 0
	}
	for _, a := range slices.Backward(attempts(abs)) {
		if path, s, ok := checkpoint(a); ok {
			return path, s.Epoch + 1
		}
	}
	return "", 0
}

// Rereports implements trainer.Rereporter: whether the table of the checkpoint's attempt has the rows.
func (b *Backend) Rereports(path string, first, last int) bool {
	data, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(path)), resultsName))
	if err != nil {
		return false
	}
	found := 0
	for _, row := range table.Parse(data, epochColumn).Rows() {
		if e := row.Epoch + 1; e >= first && e <= last {
			found++
		}
	}
	return found == last-first+1
}

// CanStop implements trainer.Stopper: a run that has not saved its first epoch would begin anew.
func (b *Backend) CanStop(dir string) bool {
	path, _ := b.Latest(dir)
	return path != ""
}

// Clean implements trainer.Cleaner: the weights of all attempts.
func (b *Backend) Clean(dir string) error {
	return deleteWeights(dir, func(_, name string) bool { return filepath.Ext(name) == ".pt" || isHalf(name) })
}

// isHalf says that a file is a checkpoint that was being written when its writer was killed.
func isHalf(name string) bool { return strings.Contains(name, ".pt.tmp") }

// supersede deletes what attempts before the given one left that it has itself: last.pt and best.pt. What save_period
// keeps stays.
func supersede(dir, attempt string) error {
	return deleteWeights(dir, func(a, name string) bool {
		return a != attempt && (name == "last.pt" || name == "best.pt") || isHalf(name)
	})
}

// deleteWeights deletes the checkpoints of the attempts that doomed names.
func deleteWeights(dir string, doomed func(attempt, name string) bool) error {
	var errs []error
	for _, a := range attempts(dir) {
		entries, _ := os.ReadDir(filepath.Join(a, "weights"))
		for _, e := range entries {
			if !doomed(a, e.Name()) {
				continue
			}
			if err := os.Remove(filepath.Join(a, "weights", e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, fmt.Errorf("delete checkpoint: %w", err))
			}
		}
	}
	return errors.Join(errs...)
}

// readBack is what the launcher notes before the first step.
type readBack struct {
	Options map[string]any   `json:"options"`
	Levers  map[string]any   `json:"levers"`
	Env     map[string]any   `json:"env"`
	Shims   []string         `json:"shims"`
	Wrong   map[string]wrong `json:"wrong"`
	Python  string           `json:"python"`
	Torch   string           `json:"torch"`
	NumPy   string           `json:"numpy"`
}

type wrong struct {
	Requested any `json:"requested"`
	Effective any `json:"effective"`
}

// readEffective reads effective.json of an attempt.
func readEffective(attempt string) (readBack, error) {
	var r readBack
	data, err := os.ReadFile(filepath.Join(attempt, "effective.json"))
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(data, &r)
}

// params brings the script's options and the levers to the names and types of knobs. A lever that was not pulled
// has its official value.
func (r readBack) params() trials.Params {
	p := trials.Params{}
	for _, k := range knobs() {
		v, ok := r.Levers[k.Name]
		if k.at == inEnv {
			v, ok = r.Env[k.official()]
		}
		switch {
		case k.Name == "seed_images":
			v = map[bool]any{true: SeedOn, false: SeedOff}[ok]
		case ok:
		case k.at == asLever || k.at == inEnv || k.lever: // for box and its kind the option says what the file says, not what is used
			v = k.Default
		default:
			if v, ok = r.Options[strings.ReplaceAll(k.official(), "-", "_")]; !ok {
				continue
			}
		}
		p[k.Name] = k.typed(v)
	}
	return p
}

// as gives values that mean what was asked for the form in which they were asked for: paths that the script
// resolved, a list of layers, the seed of pictures that was left to mapsweep.
func (r readBack) as(set settings, replicates bool) trials.Params {
	p := r.params()
	for _, name := range []string{"cfg", "weights"} { // a run that goes on has the checkpoint there
		p[name] = set.values[name]
	}
	if want := set.values["freeze"]; trials.FormatValue(want) == p["freeze"] {
		p["freeze"] = want
	}
	if on := p["seed_images"] == SeedOn; set.values["seed_images"] == SeedAuto && on == replicates {
		p["seed_images"] = SeedAuto
	}
	return p
}

// typed turns a JSON value into the type that the knob has in study files.
func (k knob) typed(v any) any {
	switch v := v.(type) {
	case nil:
		if k.Kind == trials.Categorical {
			if k.Name == "cache" {
				return None
			}
			return ""
		}
		return k.Default
	case []any:
		var words []string
		for _, x := range v {
			words = append(words, trials.FormatValue(x))
		}
		return strings.Join(words, " ")
	case string:
		if x, err := strconv.ParseFloat(v, 64); err == nil && k.Kind != trials.Categorical {
			return k.typed(x)
		}
		return v
	case float64:
		if k.Kind == trials.Int {
			return int64(v)
		}
		return v
	case int64:
		if k.Kind == trials.Float {
			return float64(v)
		}
		return v
	}
	return v
}
