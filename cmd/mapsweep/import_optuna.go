package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// fromOptuna is the kind of import that takes a study over from a file of Optuna's.
const fromOptuna = "optuna"

// importedOptuna is the value of trials.AttrImported of a study that came from Optuna.
type importedOptuna struct {
	From    string `json:"from"`
	Path    string `json:"path"`
	Study   string `json:"study"`
	Version string `json:"version"`
}

// importOptuna copies a study of Optuna's, or what it has got since it was copied. metric names its first objective;
// "": as it is named there.
func (a *app) importOptuna(ctx context.Context, where, name, metric string, level durability) error {
	path, wanted, err := optunaFile(where)
	if err != nil {
		return err
	}
	src, err := openOptuna(ctx, path)
	if err != nil {
		return err
	}
	defer src.Close()
	old, err := chooseStudy(ctx, src, path, wanted)
	if err != nil {
		return err
	}
	if sameFile(path, a.db) {
		return usagef("%s is the database itself (--db): its study %q can be shown, tabled and reported as it is", path, old.Name)
	}
	by, err := src.OptunaVersion(ctx)
	if err != nil {
		return err
	}
	dst, err := sqlite.Open(ctx, a.db, level.option())
	if err != nil {
		return err
	}
	defer dst.Close()
	st, err := optunaStudy(ctx, dst, trials.Study{Name: name, Directions: old.Directions, Objective: cmp.Or(metric, old.Objective),
		Provenance: trials.Provenance{Version: version, Commit: buildCommit(), Backend: "imported"},
		Attrs:      map[string]json.RawMessage{trials.AttrImported: trials.Attr(importedOptuna{fromOptuna, path, old.Name, by})}}, metric != "")
	if err != nil {
		return err
	}
	done, err := dst.CopyTrials(ctx, st.ID, src, old.ID)
	if errors.Is(err, trials.ErrInvalid) {
		return usagef("import study %q of %s into study %q: %w; import it under another name", old.Name, path, name, err)
	}
	if err != nil {
		return fmt.Errorf("import study %q of %s: %w", old.Name, path, err)
	}
	all, err := dst.Trials(ctx, st.ID)
	if err != nil {
		return err
	}
	a.sayCopied(st, done, all, by)
	return nil
}

// optunaFile cuts FILE[#STUDY]; FILE may be written as Optuna's URL, sqlite:///FILE.
func optunaFile(where string) (path, study string, err error) {
	if scheme, rest, ok := strings.Cut(where, "://"); ok {
		if scheme != "sqlite" || !strings.HasPrefix(rest, "/") {
			return "", "", usagef("--from optuna:%s: only files of Optuna's SQLite storage can be read; bring the study into one first:\n  %s", where, copyStudy(`"`+where+`"`))
		}
		where = rest[1:]
	}
	path = where
	if _, err := os.Stat(where); err != nil {
		if i := strings.LastIndexByte(where, '#'); i >= 0 {
			path, study = where[:i], where[i+1:]
		}
	}
	path, err = filepath.Abs(path)
	return path, study, err
}

// copyStudy is the Python that brings a study of another storage of Optuna's into a file that can be imported.
func copyStudy(storage string) string {
	return fmt.Sprintf(`python -c 'import optuna; optuna.copy_study(from_study_name="STUDY", from_storage=%s, to_storage="sqlite:///copy.db")'`, storage)
}

// openOptuna opens a file of Optuna's for reading.
func openOptuna(ctx context.Context, path string) (*sqlite.DB, error) {
	src, err := sqlite.OpenReadOnly(ctx, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usagef("--from: %w", err)
	case errors.Is(err, trials.ErrNotOurs) && isJournal(path):
		return nil, usagef("--from: %s is a journal of Optuna's; bring the study into an SQLite file first:\n  %s", path,
			copyStudy(fmt.Sprintf("optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(%q))", path)))
	case errors.Is(err, trials.ErrNotOurs), errors.Is(err, trials.ErrNewer):
		return nil, usagef("--from: %w", err)
	}
	return src, err
}

// isJournal says that a file begins as those of Optuna's JournalStorage do.
func isJournal(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 200)
	n, _ := f.Read(head) // nothing read: no journal
	return bytes.HasPrefix(head[:n], []byte("{")) && bytes.Contains(head[:n], []byte(`"op_code"`))
}

// chooseStudy finds the study of a file that is meant: the only one, or the one that was named.
func chooseStudy(ctx context.Context, src *sqlite.DB, path, wanted string) (trials.Study, error) {
	all, err := src.Studies(ctx)
	if err != nil {
		return trials.Study{}, err
	}
	if len(all) == 0 {
		return trials.Study{}, usagef("%s has no study", path)
	}
	var names []string
	for _, st := range all {
		names = append(names, st.Name)
	}
	i := slices.Index(names, wanted)
	switch {
	case wanted == "" && len(all) == 1:
		i = 0
	case wanted == "":
		return trials.Study{}, usagef("%s has %d studies, say which: --from '%s:%s#NAME', with a name of\n  %s", path, len(all), fromOptuna, path, strings.Join(names, "\n  "))
	case i < 0:
		return trials.Study{}, usagef("%s has no study %q%s; it has\n  %s", path, wanted, didYouMean(wanted, names), strings.Join(names, "\n  "))
	}
	if st := all[i]; len(st.Resolved) > 0 || sweep.IsImported(st) {
		return st, usagef("study %q of %s was recorded by mapsweep: read it there, with --db %s", st.Name, path, path)
	}
	return all[i], nil
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	y, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(x, y)
}

// optunaStudy finds the study that an earlier import made, or makes it. named says that the user chose its metric's name.
func optunaStudy(ctx context.Context, dst *sqlite.DB, want trials.Study, named bool) (trials.Study, error) {
	st, err := dst.Study(ctx, want.Name)
	if errors.Is(err, trials.ErrNoStudy) {
		return dst.CreateStudy(ctx, want)
	}
	if err != nil {
		return st, err
	}
	var of importedOptuna
	if json.Unmarshal(st.Attrs[trials.AttrImported], &of) != nil || of.From != fromOptuna {
		return st, usagef("--study: there is a study %q that was not imported from Optuna; choose another name", st.Name)
	}
	if !slices.Equal(st.Directions, want.Directions) {
		return st, usagef("--study: study %q was imported from a study with the directions %v, not %v; choose another name", st.Name, st.Directions, want.Directions)
	}
	if named && st.Objective != want.Objective {
		return st, usagef("--metric: study %q was imported with the metric %s; choose another name", st.Name, st.Objective)
	}
	return st, nil
}

func (a *app) sayCopied(st trials.Study, done sqlite.Copied, all []trials.Trial, by string) {
	fmt.Fprintf(a.stdout, "study %s: %s imported, %d brought up to date, %d there already\n", st.Name, count(done.New, "trial"), done.Renewed, done.Known)
	var states []string
	for _, s := range []trials.State{trials.Complete, trials.Pruned, trials.Fail, trials.Running, trials.Waiting} {
		n := 0
		for _, t := range all {
			if t.State == s {
				n++
			}
		}
		if n > 0 || s == trials.Complete {
			states = append(states, fmt.Sprintf("%d %s", n, map[trials.State]string{trials.Complete: "complete", trials.Pruned: "pruned", trials.Fail: "failed",
				trials.Running: "running", trials.Waiting: "waiting"}[s]))
		}
	}
	fmt.Fprintln(a.stdout, strings.Join(states, " + "))
	if len(st.Directions) > 1 {
		fmt.Fprintf(a.stdout, "note: it has %d objectives\n", len(st.Directions))
	}
	if major, _, _ := strings.Cut(by, "."); len(major) == 1 && major < "5" {
		fmt.Fprintf(a.stdout, "note: the file was made by Optuna %s, which writes local times: they are shown as if they were UTC\n", by)
	}
	fmt.Fprintf(a.stdout, "next: mapsweep report %s\n", st.Name)
}
