package sqlite_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// TestFullAnywhere: whatever write meets the end of the disk says so and leaves no half of itself; with room again the same
// write goes through.
func TestFullAnywhere(t *testing.T) {
	noise := make([]byte, 200_000)
	for i := range noise {
		noise[i] = byte(i * i * 7919 >> 7)
	}
	many := map[string]float64{}
	for i := range 3000 {
		many["metric"+strings.Repeat("x", i%40)+string(rune('a'+i%26))+strings.Repeat("y", i/100)] = 1 / float64(i+1)
	}
	big := trials.Attr(strings.Repeat("z", 100_000))
	writes := map[string]func(ctx context.Context, d *sqlite.DB, tr trials.Trial) error{
		"Attach": func(ctx context.Context, d *sqlite.DB, tr trials.Trial) error {
			return d.Attach(ctx, tr.ID, trials.Artifact{Name: "a", Data: noise})
		},
		"Record": func(ctx context.Context, d *sqlite.DB, tr trials.Trial) error {
			return d.Record(ctx, tr.ID, trials.Measurement{Epoch: 2, Metrics: many})
		},
		"SetAttrs": func(ctx context.Context, d *sqlite.DB, tr trials.Trial) error {
			return d.SetAttrs(ctx, tr.ID, attrs("big", big))
		},
		"Finish": func(ctx context.Context, d *sqlite.DB, tr trials.Trial) error {
			return d.Finish(ctx, tr.ID, trials.Outcome{State: trials.Complete, Values: []float64{1}, Attrs: attrs("big", big)})
		},
		"CreateStudy": func(ctx context.Context, d *sqlite.DB, tr trials.Trial) error {
			_, err := d.CreateStudy(ctx, trials.Study{Name: "t", Directions: []trials.Direction{trials.Maximize}, File: noise})
			return err
		},
	}
	for name, write := range writes {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			d := openDB(t, path)
			st := fill(t, d, 2)
			tr, err := d.Claim(t.Context(), st.ID, "w")
			must(t, err)
			must(t, d.Record(t.Context(), tr.ID, trials.Measurement{Epoch: 1, Metrics: map[string]float64{"mAP50-95": 0.1}}))
			must(t, d.LimitPages(t.Context(), 2))
			if err := write(t.Context(), d, tr); !errors.Is(err, trials.ErrDiskFull) || !strings.Contains(err.Error(), path) {
				t.Errorf("full disk: %v", err)
			}
			all, err := d.Trials(t.Context(), st.ID)
			must(t, err)
			if len(all) != 2 || all[0].State != trials.Running || len(all[0].Measurements) != 1 || all[0].Attrs["big"] != nil {
				t.Errorf("after the refused write: %+v", all)
			}
			must(t, d.LimitPages(t.Context(), -1))
			must(t, write(t.Context(), d, tr))
			must(t, d.Close())
			sound(t, path)
		})
	}
}

// TestLocked: a lock that another process keeps for longer than we are patient is named; when it is given back, all goes on.
func TestLocked(t *testing.T) {
	const patience = 300 * time.Millisecond
	is := func(t *testing.T, what, path string, err error) {
		t.Helper()
		if !errors.Is(err, trials.ErrBusy) || !strings.Contains(err.Error(), "database "+path) || !strings.Contains(err.Error(), "another process keeps it locked") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for name, c := range map[string]struct{ journal, statement string }{
		"rollback journal, as Optuna makes it": {"DELETE", "BEGIN EXCLUSIVE"},
		"write-ahead log":                      {"WAL", "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE"},
	} {
		t.Run(name, func(t *testing.T) {
			path := made(t, 2)
			execute(t, path, "PRAGMA journal_mode = "+c.journal)
			release := startHold(t, path, c.statement)
			for what, try := range map[string]func(context.Context, string, time.Duration) (*sqlite.DB, error){
				"Open": sqlite.OpenPatient, "OpenReadOnly": sqlite.OpenReadOnlyPatient,
			} {
				began := time.Now()
				_, err := try(t.Context(), path, patience)
				is(t, what, path, err)
				if took := time.Since(began); took < patience || took > 20*patience {
					t.Errorf("%s refused after %v, patience is %v", what, took, patience)
				}
			}
			release()
			if got := content(t, path); len(got) != 2 {
				t.Errorf("%d trials after the lock was given back", len(got))
			}
		})
	}
	t.Run("while it is open", func(t *testing.T) {
		path := made(t, 2)
		d, err := sqlite.OpenPatient(t.Context(), path, patience)
		must(t, err)
		defer d.Close()
		release := startHold(t, path, "BEGIN IMMEDIATE")
		_, err = d.Claim(t.Context(), 1, "w")
		is(t, "Claim", path, err)
		if all, err := d.Trials(t.Context(), 1); err != nil || len(all) != 2 {
			t.Errorf("reading beside a writer: %d trials, %v", len(all), err)
		}
		release()
		if _, err := d.Claim(t.Context(), 1, "w"); err != nil {
			t.Errorf("after the lock was given back: %v", err)
		}
	})
}

// TestTruncated cuts a file at many places: it is refused, or all is there; the file stays as it is.
func TestTruncated(t *testing.T) {
	whole := read(t, made(t, 120))
	for cut := len(whole) - 4096; cut > 0; cut -= len(whole) / 12 {
		for _, at := range []int{cut, cut / 4096 * 4096, min(cut, 300)} {
			path := filepath.Join(t.TempDir(), "x.db")
			write(t, path, whole[:at])
			for how, open := range map[string]func(context.Context, string) (*sqlite.DB, error){"Open": openFile, "OpenReadOnly": sqlite.OpenReadOnly} {
				d, err := open(t.Context(), path)
				if err == nil {
					var all []trials.Trial
					if all, err = d.Trials(t.Context(), 1); err == nil && len(all) != 120 {
						t.Errorf("%s, cut at %d of %d bytes: %d trials and no error", how, at, len(whole), len(all))
					}
					d.Close() // may say that the file is damaged
				}
				if err != nil && !errors.Is(err, trials.ErrCorrupt) && !errors.Is(err, trials.ErrNotOurs) || err != nil && !strings.Contains(err.Error(), path) {
					t.Errorf("%s, cut at %d of %d bytes: %v", how, at, len(whole), err)
				}
			}
			if at >= 512 && !bytes.Equal(read(t, path)[:100], whole[:100]) {
				t.Errorf("cut at %d: the file's header changed", at)
			}
		}
	}
}

// TestLogWithoutDatabase: SQLite would delete such a log, and the last commits with it.
func TestLogWithoutDatabase(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"missing": os.Remove,
		"empty":   func(path string) error { return os.Truncate(path, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			live := filepath.Join(t.TempDir(), "x.db")
			d := openDB(t, live)
			fill(t, d, 5)
			path := filepath.Join(t.TempDir(), "y.db")
			database, log := read(t, live), read(t, live+"-wal")
			must(t, d.Close())
			write(t, path, database)
			write(t, path+"-wal", log)
			must(t, spoil(path))
			for how, open := range map[string]func(context.Context, string) (*sqlite.DB, error){"Open": openFile, "OpenReadOnly": sqlite.OpenReadOnly} {
				if _, err := open(t.Context(), path); !errors.Is(err, trials.ErrGone) || !strings.Contains(err.Error(), path+"-wal is there") {
					t.Errorf("%s: %v", how, err)
				}
			}
			if st, err := os.Stat(path); err == nil && st.Size() > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the refused database was made: %v", err)
			}
			if !bytes.Equal(read(t, path+"-wal"), log) {
				t.Error("the log was changed")
			}
			write(t, path, database)
			if got := content(t, path); len(got) != 5 {
				t.Errorf("put back, it has %d trials", len(got))
			}
		})
	}
}

func attrs(name string, value json.RawMessage) map[string]json.RawMessage {
	return map[string]json.RawMessage{name: value}
}

func openFile(ctx context.Context, path string) (*sqlite.DB, error) { return sqlite.Open(ctx, path) }
