package html

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/charts"
	"github.com/mapsweep/mapsweep/reports/tables"
)

// WriteAll writes the whole report into dir, which it makes if need be: index.html, table.md, table.csv, table.tex
// and charts/<name>.svg, .png and .pdf. Every file appears whole or not at all. A full disk is named as such.
func WriteAll(dir string, s *reports.Snapshot) error {
	return write(dir, s, true)
}

// WriteLight writes the page and the tables alone, fast enough to follow every trial. Charts are in the page;
// those written as files earlier stay as they are.
func WriteLight(dir string, s *reports.Snapshot) error {
	return write(dir, s, false)
}

func write(dir string, s *reports.Snapshot, all bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return diskError(dir, err)
	}
	ts := tables.All(s)
	files := []struct {
		name string
		make func(io.Writer) error
	}{
		{"table.md", func(w io.Writer) error { return tables.Markdown(w, ts) }},
		{"table.csv", func(w io.Writer) error { return tables.CSV(w, s) }},
		{"table.tex", func(w io.Writer) error { return tables.LaTeX(w, ts) }},
	}
	for _, f := range files {
		if err := writeFile(filepath.Join(dir, f.name), f.make); err != nil {
			return diskError(dir, err)
		}
	}
	page := func(charts bool) error {
		return writeFile(filepath.Join(dir, "index.html"), func(w io.Writer) error { return Page(w, s, Files{Tables: true, Charts: charts}) })
	}
	if err := page(false); err != nil || !all {
		return diskError(dir, err)
	}
	if err := writeCharts(dir, s); err != nil { // the page stands already, without links to them
		return diskError(dir, err)
	}
	return diskError(dir, page(true))
}

// writeCharts writes every chart of every block in every format, and removes those that have nothing to show any more.
func writeCharts(dir string, s *reports.Snapshot) error {
	if err := os.MkdirAll(filepath.Join(dir, "charts"), 0o755); err != nil {
		return err
	}
	for i := range s.Blocks {
		one := s.Only(i)
		for _, c := range charts.All {
			for _, ext := range charts.Formats {
				path := filepath.Join(dir, "charts", fileName(s, i, c, ext))
				err := writeFile(path, func(w io.Writer) error { return charts.Write(w, c, one, ext) })
				if errors.Is(err, charts.ErrNothing) {
					err = os.Remove(path)
					if errors.Is(err, os.ErrNotExist) {
						err = nil
					}
				}
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// fileName is the name of a chart's file: "effects.svg", and with several data sets "effects-builtin-digits.svg".
func fileName(s *reports.Snapshot, block int, c charts.Chart, ext string) string {
	if len(s.Blocks) == 1 {
		return c.Name + "." + ext
	}
	slug := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		}
		return '-'
	}, s.Blocks[block].Data)
	return fmt.Sprintf("%s-%d-%s.%s", c.Name, block+1, strings.Trim(slug, "-"), ext)
}

// writeFile makes a file in memory, writes it beside its place and renames it, so that readers see the old or the
// new file and never half of one.
func writeFile(path string, produce func(io.Writer) error) (err error) {
	var b bytes.Buffer
	if err := produce(&b); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(b.Bytes()); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// diskError says where a report could not be written, and what to do where that is known.
func diskError(dir string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("write report in %s: the disk is full; free some space and make the report again, the results are safe in the database: %w", dir, err)
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("write report in %s: not allowed to write there; choose another directory: %w", dir, err)
	}
	return fmt.Errorf("write report in %s: %w", dir, err)
}
