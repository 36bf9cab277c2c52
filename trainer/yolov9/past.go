package yolov9

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/trainer/internal/table"
	"github.com/mapsweep/mapsweep/trials"
)

// Past is a run of the official scripts, as a rule one that somebody started without mapsweep.
type Past struct {
	Dir          string // absolute
	Hash         string // SHA-256 over the files that were read, hex: the same run under another path has the same
	Params       trials.Params
	Model, Data  string
	Epochs       int // that were asked for
	Seed         int64
	Measurements []trials.Measurement
	Finished     time.Time         // when results.csv was last written
	Diverged     string            // the first training loss that is not a number, with its epoch; ""
	Notes        []string          // what is odd about the run, for people
	Files        map[string][]byte // opt.yaml and hyp.yaml
	Ours         bool              // mapsweep started it, so that levers were real
}

// Names of the files that are read.
const (
	optName = "opt.yaml"
	hypName = "hyp.yaml"
)

// ErrNoRun: a folder is none of a run of the official scripts.
var ErrNoRun = errors.New("no run of the official trainer")

// PastDirs lists the run folders that a path stands for: itself, or, if it is a folder of runs such as runs/train,
// those in it, by name.
func PastDirs(path string) ([]string, error) {
	if isFile(filepath.Join(path, optName)) {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("find past runs: %w", err)
	}
	var dirs []string
	for _, e := range entries {
		if dir := filepath.Join(path, e.Name()); isFile(filepath.Join(dir, optName)) {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) == 0 {
		return nil, fmt.Errorf("find past runs in %s: %w: there is no %s in it or in its folders", path, ErrNoRun, optName)
	}
	return dirs, nil
}

// ReadPast reads the files of a run: opt.yaml, hyp.yaml and results.csv. A run without results.csv failed before its
// first epoch and has no measurements.
func ReadPast(dir string) (Past, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Past{}, fmt.Errorf("read past run: %w", err)
	}
	p := Past{Dir: abs, Params: trials.Params{}, Files: map[string][]byte{}}
	sum := sha256.New()
	files := map[string][]byte{}
	for _, name := range []string{optName, hypName, resultsName} {
		data, err := os.ReadFile(filepath.Join(abs, name))
		if err != nil && (name == optName || !errors.Is(err, fs.ErrNotExist)) {
			return p, fmt.Errorf("read past run %s: %w: %w", dir, ErrNoRun, err)
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(data))
		sum.Write(data)
		files[name] = data
		if name != resultsName && len(data) > 0 {
			p.Files[name] = data
		}
	}
	p.Hash = fmt.Sprintf("%x", sum.Sum(nil))
	opt, err := mappingOf(files[optName])
	if err != nil {
		return p, fmt.Errorf("read past run %s: %s: %w", dir, optName, err)
	}
	hyp, ok := opt["hyp"].(map[string]any)
	if data := files[hypName]; len(data) > 0 {
		if hyp, err = mappingOf(data); err != nil {
			return p, fmt.Errorf("read past run %s: %s: %w", dir, hypName, err)
		}
	} else if !ok {
		return p, fmt.Errorf("read past run %s: %w: it has no %s", dir, ErrNoRun, hypName)
	}
	if err := p.configure(opt, hyp); err != nil {
		return p, fmt.Errorf("read past run %s: %w", dir, err)
	}
	if back, err := readEffective(abs); err == nil {
		p.ours(back)
	}
	if st, err := os.Stat(filepath.Join(abs, resultsName)); err == nil {
		p.Finished = st.ModTime().UTC().Truncate(time.Microsecond)
	}
	noval, _ := opt["noval"].(bool)
	if err := p.measure(files[resultsName], noval); err != nil {
		return p, fmt.Errorf("read past run %s: %s: %w", dir, resultsName, err)
	}
	return p, nil
}

// configure takes settings over under the names of knobs. Knobs that decide nothing about training, and levers that
// only our launcher has, are left out.
func (p *Past) configure(opt, hyp map[string]any) error {
	if v, ok := opt["evolve"]; ok && v != nil && v != false {
		return errors.New("it is a run of --evolve, whose rows are of many configurations")
	}
	for _, k := range knobs() {
		var v any
		var had bool
		switch k.at {
		case inHyp:
			v, had = hyp[k.official()]
		case asFlag, asSwitch:
			v, had = opt[strings.ReplaceAll(k.official(), "-", "_")]
		}
		if !had || idle(k) {
			continue
		}
		value, ok := k.past(v)
		if !ok {
			return fmt.Errorf("%s is %v, which is no value of it", k.official(), v)
		}
		p.Params[k.Name] = value
	}
	for name := range hyp {
		if k, ok := find(name); name != "anchors" && (!ok || k.at != inHyp) {
			p.Notes = append(p.Notes, fmt.Sprintf("hyp.yaml has %s, which the official trainer ignores", name))
		}
	}
	slices.Sort(p.Notes)
	p.Model, _ = p.Params["cfg"].(string)
	p.Data, _ = opt["data"].(string)
	epochs, ok := trials.Number(plain(opt["epochs"]))
	if !ok || epochs < 1 || epochs > 1e6 || epochs != math.Trunc(epochs) {
		return fmt.Errorf("opt.yaml says nothing usable of epochs: %v", opt["epochs"])
	}
	p.Epochs = int(epochs)
	seed, _ := trials.Number(plain(opt["seed"])) // releases without --seed used 0
	p.Seed = int64(seed)
	return nil
}

// ours adds what the official files do not say of a run that mapsweep started: its levers, and the name of the data
// set, of which each trial has a file of its own.
func (p *Past) ours(back readBack) {
	p.Ours = true
	for name, v := range back.params() {
		if k, ok := find(name); ok && k.at == asLever && !idle(k) && !(name == "seed_images" && v == SeedOff) {
			p.Params[name] = v
		}
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(p.Dir), dataName))
	if err != nil {
		return
	}
	quoted, _ := strconv.QuotedPrefix(strings.TrimPrefix(string(text), "# ")) // the first line; see preflight.Data.Absolute
	if name, err := strconv.Unquote(quoted); err == nil && name != "" {
		p.Data = name
	}
}

// idle says that a knob decides nothing about what is trained and how it is scored: what is drawn, saved and logged.
func idle(k knob) bool {
	switch k.Name {
	case "noplots", "nosave", "save_period", "bucket", "nccl_timeout":
		return true
	}
	return k.inert == inLogging
}

// past brings a value as the official files have it to that of a knob.
func (k knob) past(v any) (any, bool) {
	v = plain(v)
	switch k.Name {
	case "cache":
		switch v {
		case nil, false, "":
			return None, true
		case true:
			return CacheRAM, true
		}
	case "freeze":
		list, ok := v.([]any)
		if !ok {
			return trials.FormatValue(v), v != nil
		}
		var words []string
		for _, layer := range list {
			words = append(words, trials.FormatValue(plain(layer)))
		}
		return strings.Join(words, " "), true
	case "cfg":
		s, ok := v.(string)
		s = filepath.ToSlash(s)
		if i := strings.LastIndex(s, "models/detect/"); i >= 0 {
			s = s[i+len("models/detect/"):]
		}
		return strings.TrimSuffix(s, ".yaml"), ok && s != ""
	}
	switch k.Kind {
	case trials.Float, trials.Int:
		x, ok := trials.Number(v)
		return plain(x), ok && !math.IsNaN(x) && !math.IsInf(x, 0)
	}
	switch v.(type) {
	case string, bool:
		return v, true
	case nil:
		return k.Default, true
	}
	return trials.FormatValue(v), true
}

// plain brings numbers of the YAML parser to the two types that parameters have; whole ones are integers.
func plain(v any) any {
	switch x := v.(type) {
	case uint64:
		return plain(float64(x))
	case int:
		return int64(x)
	case float64:
		if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
			return int64(x)
		}
	}
	return v
}

// measure reads the table. The scripts that do not compute validation losses write zeros throughout.
func (p *Past) measure(data []byte, noval bool) error {
	data, before := lastSegment(data)
	if before > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("results.csv begins with %d rows of an earlier run in the same folder, which are left out", before))
	}
	t := table.Parse(data, epochColumn)
	rows := t.Rows()
	if t.Columns() != nil {
		if lacking := t.Lacks(slices.Concat([]string{epochColumn}, trained, scored)...); len(lacking) > 0 {
			return fmt.Errorf("%w: it has no column %s", ErrNoRun, strings.Join(lacking, ", "))
		}
	}
	if text := t.Trouble(); text != "" {
		p.Notes = append(p.Notes, text)
	}
	as := reading{script: scriptSingle, noval: noval, epochs: p.Epochs}
	if !slices.ContainsFunc(rows, func(r table.Row) bool { return !all(r, validated, isZero) }) {
		as.script = scriptDual // or train_triple.py, which is the same here
	}
	for _, row := range rows {
		if row.Epoch < 0 {
			return fmt.Errorf("it has an epoch %d", row.Epoch)
		}
		m := as.measurement(row)
		m.At = p.Finished
		p.Measurements = append(p.Measurements, m)
		if name := as.lost(row); name != "" && p.Diverged == "" {
			p.Diverged = fmt.Sprintf("%s is %s at epoch %d", name, trials.FormatValue(m.Metrics[name]), m.Epoch)
		}
	}
	return nil
}

// lastSegment leaves out the rows of earlier runs, if a folder was used again: a new run appends to the old table,
// beginning with epoch 0. The header stays.
func lastSegment(data []byte) (rest []byte, before int) {
	var head []byte
	begin, rows, offset := 0, 0, 0
	last := ""
	for line := range bytes.Lines(data) {
		cell, _, _ := bytes.Cut(line, []byte(","))
		epoch := string(bytes.TrimSpace(cell))
		switch {
		case epoch == epochColumn:
			if head == nil {
				head = line
			}
		case epoch == "0" && last != "" && last != "0":
			begin, before = offset, rows
			rows++
		case epoch != "":
			rows++
		}
		if epoch != epochColumn {
			last = epoch
		}
		offset += len(line)
	}
	if before == 0 {
		return data, 0
	}
	return slices.Concat(head, data[begin:]), before
}

// Ignored says of those knobs that the official scripts ignore why they do; ours: in runs that mapsweep started.
func Ignored(names []string, ours bool) map[string]string {
	why := map[string]string{}
	for _, n := range names {
		if k, ok := find(n); ok && k.inert != "" && !(ours && k.lever) {
			why[n] = k.inert
		}
	}
	return why
}
