package table

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// longest is the length of a line beyond which it is nonsense.
const longest = 1 << 20

// Row is one epoch of the table. Rows of one epoch are joined: a cell that occurs again replaces the earlier one.
type Row struct {
	Epoch  int                // as in the file
	Values map[string]float64 // by column, without that of the epoch; NaN and infinities are values, empty cells and texts are absent
}

// Clone copies the row.
func (r Row) Clone() Row { return Row{r.Epoch, maps.Clone(r.Values)} }

// Follower reads a file as it grows.
type Follower struct {
	path  string
	epoch string // column with the number of the epoch

	file     fs.FileInfo // what was read last, nil before
	offset   int64
	before   []byte // what stands in front of offset, to notice a file that was begun anew
	partial  []byte // a line whose end has not come yet
	modified time.Time

	columns  []string // of the header, nil before it; the cells of a row are in this order
	rows     []Row    // by epoch
	changed  map[int]bool
	lines    int // but for headers and empty ones
	nonsense int
	first    string // what was wrong with the first line that made no sense
}

// Follow makes a follower of a file that need not be there yet. epoch names the column that numbers the rows.
func Follow(path, epoch string) *Follower {
	return &Follower{path: path, epoch: epoch, changed: map[int]bool{}}
}

// Parse reads a whole table that no longer grows.
func Parse(data []byte, epoch string) *Follower {
	f := Follow("", epoch)
	f.partial = bytes.Clone(data)
	f.Read(true)
	return f
}

// Skip passes over the rows that are there already: they are of an earlier run. Their header stays in force, as
// trainers append to an old file without another. A line that the earlier run left half is ended, so that the
// next one does not stick to it.
func (f *Follower) Skip() error {
	f.Read(true)
	f.rows, f.lines, f.nonsense, f.first = nil, 0, 0, ""
	if len(f.before) == 0 || f.before[len(f.before)-1] == '\n' {
		return nil
	}
	file, err := os.OpenFile(f.path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("end half line of table: %w", err)
	}
	_, err = file.WriteString("\n")
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("end half line of table: %w", err)
	}
	return nil
}

// Read takes what was appended and returns the rows that are new or have changed since the last time, by epoch.
// With last, a line without end counts, too, if it has all cells.
func (f *Follower) Read(last bool) []Row {
	f.partial = append(f.partial, f.appended()...)
	for {
		line, rest, whole := bytes.Cut(f.partial, []byte("\n"))
		if !whole && !last && len(line) <= longest {
			break
		}
		f.partial = rest
		f.take(line)
		if !whole {
			f.partial = nil
			break
		}
	}
	var fresh []Row
	for _, r := range f.rows {
		if f.changed[r.Epoch] {
			fresh = append(fresh, r.Clone())
		}
	}
	clear(f.changed)
	return fresh
}

// Rows lists all epochs that were read, by number.
func (f *Follower) Rows() []Row {
	all := make([]Row, len(f.rows))
	for i, r := range f.rows {
		all[i] = r.Clone()
	}
	return all
}

// Columns names the columns in their order, that of the epoch among them. It is nil before there is a header.
func (f *Follower) Columns() []string { return slices.Clone(f.columns) }

// Lacks lists those of the columns that the header does not have. Before there is a header, none is lacking.
func (f *Follower) Lacks(columns ...string) []string {
	if f.columns == nil {
		return nil
	}
	var lacking []string
	for _, c := range columns {
		if !slices.Contains(f.columns, strings.TrimSpace(c)) && !slices.Contains(lacking, c) {
			lacking = append(lacking, c)
		}
	}
	return lacking
}

// Modified is when the file was last written, of all that has been read of it. What the trainer writes after a row
// is not older.
func (f *Follower) Modified() time.Time { return f.modified }

// Trouble says in words what could not be read; "" if all could.
func (f *Follower) Trouble() string {
	if f.nonsense == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d lines of the table make no sense; the first: %s", f.nonsense, f.lines, f.first)
}

// appended reads on from the last offset. A file that is another one, has become shorter, or does not have before
// the offset what it had there was begun anew.
func (f *Follower) appended() []byte {
	file, err := os.Open(f.path)
	if err != nil {
		return nil // not there yet, or removed by the trainer: it may come back
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return nil
	}
	if f.offset > 0 && (!os.SameFile(f.file, st) || st.Size() < f.offset || !f.stands(file)) {
		f.offset, f.before, f.partial, f.columns = 0, nil, nil, nil
	}
	data, _ := io.ReadAll(io.NewSectionReader(file, f.offset, math.MaxInt64-f.offset)) // after an error, the rest comes next time
	f.file = st
	f.offset += int64(len(data))
	f.before = append(f.before, data...)
	f.before = bytes.Clone(f.before[max(0, len(f.before)-256):])
	if st, err := file.Stat(); err == nil && len(data) > 0 {
		f.modified = st.ModTime() // after reading: perhaps later than the last row, never earlier
	}
	return data
}

// stands says whether the file still has in front of the offset what was read there.
func (f *Follower) stands(file *os.File) bool {
	now := make([]byte, len(f.before))
	_, err := file.ReadAt(now, f.offset-int64(len(now)))
	return err == nil && bytes.Equal(now, f.before)
}

// take adds a line.
func (f *Follower) take(line []byte) {
	cells, err := split(line)
	if len(cells) == 0 && err == nil {
		return
	}
	if err == nil && (f.columns == nil || slices.Contains(cells, f.epoch)) && len(line) <= longest {
		f.columns = header(cells)
		return
	}
	f.lines++
	if err == nil {
		err = f.row(cells)
	}
	if len(line) > longest {
		err = errors.New("is too long")
	}
	if err == nil {
		return
	}
	if f.nonsense++; f.nonsense == 1 {
		f.first = fmt.Sprintf("line %d %v: %.80q", f.lines, err, bytes.TrimSpace(line))
	}
}

// row adds a row to those of its epoch.
func (f *Follower) row(cells []string) error {
	if n := len(f.columns); len(cells) == n+1 && cells[n] == "" { // a comma at the end
		cells = cells[:n]
	}
	if len(cells) != len(f.columns) {
		return fmt.Errorf("has %d cells and not %d", len(cells), len(f.columns))
	}
	at := slices.Index(f.columns, f.epoch)
	if at < 0 {
		return fmt.Errorf("has no column %q", f.epoch)
	}
	number, err := strconv.ParseFloat(cells[at], 64)
	if err != nil || number != math.Trunc(number) || math.Abs(number) > math.MaxInt32 {
		return errors.New("has no whole number as its epoch")
	}
	epoch := int(number)
	i, again := slices.BinarySearchFunc(f.rows, epoch, func(r Row, e int) int { return r.Epoch - e })
	if !again {
		f.rows = slices.Insert(f.rows, i, Row{epoch, map[string]float64{}})
		f.changed[epoch] = true
	}
	values := f.rows[i].Values
	for k, cell := range cells {
		if k == at || slices.Index(f.columns, f.columns[k]) < k {
			continue // of two columns with one name, the first
		}
		x, err := strconv.ParseFloat(cell, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			continue // empty, or a text
		}
		if old, had := values[f.columns[k]]; !had || old != x && !(math.IsNaN(old) && math.IsNaN(x)) {
			values[f.columns[k]] = x
			f.changed[epoch] = true
		}
	}
	return nil
}

// header makes column names of cells; a comma at the end makes no column.
func header(cells []string) []string {
	if n := len(cells); cells[n-1] == "" {
		cells = cells[:n-1]
	}
	return cells
}

// split cuts a line into trimmed cells; an empty line has none.
func split(line []byte) ([]string, error) {
	text := strings.TrimSpace(strings.TrimPrefix(strings.ToValidUTF8(string(line), "?"), "\ufeff"))
	if strings.Trim(text, ",") == "" {
		return nil, nil
	}
	cells := strings.Split(text, ",")
	if strings.Contains(text, `"`) {
		r := csv.NewReader(strings.NewReader(text))
		r.LazyQuotes, r.TrimLeadingSpace = true, true
		var err error
		if cells, err = r.Read(); err != nil {
			return nil, errors.New("is no line of comma-separated values")
		}
	}
	for i, c := range cells {
		cells[i] = strings.TrimSpace(c)
	}
	return cells, nil
}
