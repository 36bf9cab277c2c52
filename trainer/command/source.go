package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/trainer/internal/table"
	"github.com/mapsweep/mapsweep/trials"
)

// source is where measurements come from.
type source interface {
	// read returns the measurements that are new or changed, by epoch; last says that the program has ended.
	read(last bool) []trials.Measurement
	// epoch is the number of the last epoch that was measured, 0 if there is none.
	epoch() int
	// written is when the last measurement was written, as the file system has it.
	written() time.Time
	// trouble says in words what could not be read, wrong what makes it useless to go on, silent why nothing came.
	trouble() string
	wrong() string
	silent() string
}

// Table is a file of comma-separated values that the program appends a row to after each epoch.
type Table struct {
	File    string            // a template; relative to the trial's directory
	Epoch   string            // column with the number of the epoch
	First   int               // number of the first epoch in that column
	Columns map[string]string // metrics and the columns that they are read from
}

// columns list the columns that are read.
func (t Table) columns() []string {
	all := []string{t.Epoch}
	for _, c := range t.Columns {
		all = append(all, c)
	}
	slices.Sort(all[1:])
	return all
}

// rows are the measurements in a table.
type rows struct {
	cfg    Table
	path   string
	epochs int // of the trial, 0 if that is not known
	table  *table.Follower
	resume bool
	at     map[int]time.Time // when the rows came
	fault  string
}

// openRows follows a table. What an earlier run left there is no longer looked at; a run that begins anew gets rid of it.
func openRows(cfg Table, path, dir string, epochs int, resume bool) (*rows, error) {
	r := &rows{cfg: cfg, path: path, epochs: epochs, table: table.Follow(path, cfg.Epoch), resume: resume, at: map[int]time.Time{}}
	if rel, err := filepath.Rel(dir, path); !resume && err == nil && filepath.IsLocal(rel) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return r, r.table.Skip()
}

func (r *rows) read(last bool) []trials.Measurement {
	fresh := r.table.Read(last)
	r.look()
	if len(fresh) == 0 || r.fault != "" {
		return nil
	}
	now := trials.Now()
	for _, row := range fresh {
		r.at[row.Epoch] = now
	}
	var ms []trials.Measurement
	for _, row := range r.table.Rows() {
		if row.Epoch >= fresh[0].Epoch { // a change of an early epoch brings the later ones again
			ms = append(ms, r.measurement(row))
		}
	}
	return ms
}

func (r *rows) measurement(row table.Row) trials.Measurement {
	m := trials.Measurement{Epoch: row.Epoch - r.cfg.First + 1, Metrics: map[string]float64{}, At: r.at[row.Epoch]}
	for metric, column := range r.cfg.Columns {
		if v, ok := row.Values[column]; ok {
			m.Metrics[metric] = v
		}
	}
	return m
}

// look finds what makes the table useless: columns that are not there, and epochs that cannot be.
func (r *rows) look() {
	if r.fault != "" {
		return
	}
	if lacking := r.table.Lacks(r.cfg.columns()...); len(lacking) > 0 {
		r.fault = fmt.Sprintf("the table %s has no column %s; it has %s: check trainer.metrics.columns", filepath.Base(r.path), quoted(lacking), quoted(r.table.Columns()))
		return
	}
	all := r.table.Rows()
	if len(all) == 0 {
		return
	}
	first, final := all[0].Epoch, all[len(all)-1].Epoch
	switch {
	case first < r.cfg.First:
		r.fault = fmt.Sprintf("the table %s has an epoch %d, but trainer.metrics.first says that the first one is %d", filepath.Base(r.path), first, r.cfg.First)
	case r.epochs > 0 && final-r.cfg.First+1 > r.epochs:
		r.fault = fmt.Sprintf("the table %s has an epoch %d, which is beyond the %d of the trial counted from %d: check trainer.metrics.first and trainer.epochs",
			filepath.Base(r.path), final, r.epochs, r.cfg.First)
	case !r.resume && len(all) > 1 && first == r.cfg.First+1 && all[1].Epoch == first+1:
		r.fault = fmt.Sprintf("the table %s begins with epoch %d, but trainer.metrics.first says that the first one is %d", filepath.Base(r.path), first, r.cfg.First)
	}
}

func quoted(words []string) string {
	var all []string
	for _, w := range words {
		all = append(all, fmt.Sprintf("%q", w))
	}
	return strings.Join(all, ", ")
}

func (r *rows) epoch() int {
	all := r.table.Rows()
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].Epoch - r.cfg.First + 1
}

func (r *rows) written() time.Time { return r.table.Modified() }
func (r *rows) trouble() string    { return r.table.Trouble() }
func (r *rows) wrong() string      { return r.fault }

func (r *rows) silent() string {
	const begin = "program ended with exit status 0 and without usable metrics: "
	switch {
	case r.trouble() != "":
		return begin + r.trouble()
	case r.table.Columns() != nil:
		return begin + "the table " + r.path + " has no rows"
	}
	if _, err := os.Stat(r.path); err == nil {
		return begin + "the table " + r.path + " is empty"
	}
	return begin + "there is no table " + r.path + ": check trainer.metrics.file"
}
