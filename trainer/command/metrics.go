package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// longest is the length of a line beyond which it is nonsense.
const longest = 1 << 20

// metrics follows the file to which a program appends its measurements. Lines of one
// epoch are one measurement; a metric that occurs again replaces the earlier value.
type metrics struct {
	path     string
	offset   int64
	partial  []byte // a line whose end has not come yet
	lines    int
	nonsense int
	first    string // what was wrong with the first line that made no sense
	seen     []trials.Measurement
	modified time.Time
}

// openMetrics makes an empty file, or, for a run that goes on, follows what is appended
// from now on; a line that an earlier run left half is ended.
func openMetrics(path string, resume bool) (*metrics, error) {
	if !resume {
		return &metrics{path: path}, os.WriteFile(path, nil, 0o666)
	}
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if n := len(data); n > 0 && data[n-1] != '\n' {
		if _, err := f.WriteString("\n"); err != nil {
			return nil, err
		}
	}
	end, err := f.Seek(0, io.SeekEnd)
	return &metrics{path: path, offset: end}, err
}

// read takes what was appended and returns the measurements that are new or changed, by
// epoch. A change of an early epoch brings the later ones again. With last, a line
// without end counts, too.
func (m *metrics) read(last bool) []trials.Measurement {
	changed := math.MaxInt
	m.partial = append(m.partial, m.appended()...)
	for {
		line, rest, whole := bytes.Cut(m.partial, []byte("\n"))
		if !whole && !last && len(line) <= longest {
			break
		}
		m.partial = rest
		if epoch, ok := m.take(line); ok {
			changed = min(changed, epoch)
		}
		if !whole {
			m.partial = nil
			break
		}
	}
	var fresh []trials.Measurement
	for _, s := range m.seen {
		if s.Epoch >= changed {
			fresh = append(fresh, s.Clone())
		}
	}
	return fresh
}

// appended reads on from the last offset. A file that has become shorter was begun anew.
func (m *metrics) appended() []byte {
	f, err := os.Open(m.path)
	if err != nil {
		return nil // removed by the program: it may come back
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.Size() < m.offset {
		m.offset, m.partial = 0, nil
	}
	data, err := io.ReadAll(io.NewSectionReader(f, m.offset, math.MaxInt64-m.offset))
	m.offset += int64(len(data))
	if st, err := f.Stat(); err == nil && len(data) > 0 {
		m.modified = st.ModTime() // after reading: perhaps later than the last line, never earlier
	}
	if err != nil {
		return data // the rest comes next time
	}
	return data
}

// take adds a line and returns its epoch; ok is false for an empty line and for nonsense.
func (m *metrics) take(line []byte) (epoch int, ok bool) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return 0, false
	}
	m.lines++
	l, err := parse(line)
	if err != nil {
		if m.nonsense++; m.nonsense == 1 {
			m.first = fmt.Sprintf("line %d %v: %.80q", m.lines, err, line)
		}
		return 0, false
	}
	i, again := slices.BinarySearchFunc(m.seen, l.epoch, func(s trials.Measurement, e int) int { return s.Epoch - e })
	if !again {
		m.seen = slices.Insert(m.seen, i, trials.Measurement{Epoch: l.epoch, Metrics: map[string]float64{}})
	}
	m.seen[i].At = trials.Now()
	for name, v := range l.values {
		m.seen[i].Metrics[name] = v
	}
	for _, name := range l.absent {
		delete(m.seen[i].Metrics, name)
	}
	return l.epoch, true
}

// epoch is the number of the last epoch that was measured.
func (m *metrics) epoch() int {
	if n := len(m.seen); n > 0 {
		return m.seen[n-1].Epoch
	}
	return 0
}

func (m *metrics) written() time.Time { return m.modified }

// wrong is empty: any lines may come.
func (m *metrics) wrong() string { return "" }

// silent says why a program that ended well has no metrics.
func (m *metrics) silent() string {
	if text := m.trouble(); text != "" {
		return "program ended with exit status 0 and without usable metrics: " + text
	}
	return "program ended with exit status 0 and wrote no metrics: it must append a line such as " +
		`{"epoch": 1, "mAP50-95": 0.1} to the file that MAPSWEEP_METRICS names`
}

// trouble says in words what could not be read; "" if all could.
func (m *metrics) trouble() string {
	if m.nonsense == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d lines of metrics make no sense; the first: %s", m.nonsense, m.lines, m.first)
}

// line is one line of metrics.
type line struct {
	epoch      int
	values     map[string]float64
	absent     []string // null: not measured
	checkpoint string
}

var (
	errNotObject = errors.New("is no JSON object")
	errNoEpoch   = errors.New(`has no "epoch"`)
	errEpoch     = errors.New(`has an "epoch" that is no whole number from 1`)
)

// parse reads a line. Numbers, NaN, Infinity and -Infinity are metrics; other texts, lists and objects are passed over.
func parse(text []byte) (line, error) {
	clean, err := trials.CleanJSON(string(text))
	if err != nil {
		return line{}, errNotObject
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(clean, &raw); err != nil || raw == nil {
		return line{}, errNotObject
	}
	l := line{values: map[string]float64{}}
	at, ok := raw["epoch"]
	if !ok {
		return line{}, errNoEpoch
	}
	var epoch float64
	if json.Unmarshal(at, &epoch) != nil || epoch != math.Trunc(epoch) || epoch < 1 || epoch > math.MaxInt32 || string(at) == "null" {
		return line{}, errEpoch
	}
	l.epoch = int(epoch)
	delete(raw, "epoch")
	for name, r := range raw {
		var v any
		if json.Unmarshal(r, &v) != nil {
			return line{}, fmt.Errorf("has a number out of range under %q", name)
		}
		switch v := v.(type) {
		case nil:
			l.absent = append(l.absent, name)
		case float64:
			l.values[name] = v
		case string:
			if f, ok := special[v]; ok {
				l.values[name] = f
			} else if name == "checkpoint" {
				l.checkpoint = v
			}
		}
	}
	delete(l.values, "")
	return l, nil
}

// special are the floats that JSON writes as texts.
var special = map[string]float64{
	"NaN": math.NaN(), "nan": math.NaN(),
	"Infinity": math.Inf(1), "inf": math.Inf(1),
	"-Infinity": math.Inf(-1), "-inf": math.Inf(-1),
}
