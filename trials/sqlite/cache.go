package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/internal/optuna"
)

// cache keeps the studies that were read, as the file had them when its data_version was last looked at. Who holds the
// reader may use it.
type cache struct {
	views map[int64]*view
	// unlogged files have no log that their writers keep: of them nothing is kept when they change.
	unlogged bool
	// schema is the file's PRAGMA schema_version for which there are stand-ins.
	schema int64
}

// view is one study. Finished trials are handed out and never change: one that gets another attribute is read anew.
type view struct {
	version  int64 // of the file, PRAGMA data_version
	metric   string
	last     int64 // number of the last log entry
	finished []known
	log      []entry // by seq
	open     []trials.Trial
	count    int // trials of the study
	names    names
}

// known is a finished trial at the place of its number, with its last entry in the log and the one with which it
// ended; nil: it is open.
type known struct {
	trial *trials.Trial
	span
}

// span are the first and the last entry of a trial in the log, or in what is new of it.
type span struct{ ended, seq int64 }

// entry is an entry of the log; it is out of date if the trial has a later one.
type entry struct {
	seq    int64
	number int
}

// chunk is how many trials are read at once: what the statements give is garbage afterwards.
const chunk = 500

// Trials implements trials.Reader.
func (d *DB) Trials(ctx context.Context, studyID int64) ([]trials.Trial, error) {
	var all []trials.Trial
	err := d.view(ctx, "read trials", studyID, func(v *view) error {
		all = make([]trials.Trial, 0, v.count)
		next := 0
		for i := range v.finished {
			for ; next < len(v.open) && v.open[next].Number < i; next++ {
				all = append(all, v.open[next].Clone())
			}
			if t := v.finished[i].trial; t != nil {
				all = append(all, *t)
			}
		}
		for _, t := range v.open[next:] {
			all = append(all, t.Clone())
		}
		return nil
	})
	return all, err
}

// Changes implements trials.Reader.
func (d *DB) Changes(ctx context.Context, studyID, after int64) (trials.Changes, error) {
	var c trials.Changes
	err := d.view(ctx, "read changes", studyID, func(v *view) error {
		c.Last, c.Trials = v.last, v.count
		from, _ := slices.BinarySearchFunc(v.log, after+1, func(e entry, seq int64) int { return int(e.seq - seq) })
		for _, e := range v.log[from:] {
			if k := v.finished[e.number]; k.seq == e.seq {
				c.Log = append(c.Log, trials.Entry{Number: e.seq, Ended: k.ended, Trial: k.trial})
			}
		}
		for _, t := range v.open {
			t := t.Clone()
			c.Open = append(c.Open, &t)
		}
		return nil
	})
	return c, err
}

// view brings a study up to date and lets use read it.
func (d *DB) view(ctx context.Context, what string, studyID int64, use func(*view) error) error {
	err := d.reader.hold(ctx)
	if err == nil {
		defer d.reader.release()
		var v *view
		if err = d.renew(ctx); err == nil {
			v, err = d.refresh(ctx, studyID)
		}
		if err == nil {
			return use(v)
		}
	}
	return fmt.Errorf("%s: %w", what, d.explain(err))
}

// refresh reads what changed in the file since the last call, if anything did.
func (d *DB) refresh(ctx context.Context, studyID int64) (*view, error) {
	var version int64
	// Before the snapshot: a commit between the two is read now and looked for once more.
	if err := d.reader.one(context.WithoutCancel(ctx), "PRAGMA data_version", nil, &version); err != nil {
		return nil, err
	}
	v := d.cache.views[studyID]
	if v != nil && v.version == version {
		return v, nil
	}
	if v == nil || d.cache.unlogged {
		v = &view{names: newNames()}
	}
	err := d.look(ctx, func(ctx context.Context, s *session) error { return v.read(ctx, s, studyID, d.take) })
	if errors.Is(err, errForgotten) {
		v = &view{names: newNames()}
		err = d.look(ctx, func(ctx context.Context, s *session) error { return v.read(ctx, s, studyID, d.take) })
	}
	if err != nil {
		delete(d.cache.views, studyID) // it may be half of the old and half of the new
		return nil, err
	}
	v.version = version
	d.cache.views[studyID] = v
	return v, nil
}

// errForgotten says that what was read of the study holds no longer: it was deleted and its ID may be another one's, or adopted.
var errForgotten = errors.New("study was deleted or adopted")

// read reads new entries of the log with their trials, and all that is open.
func (v *view) read(ctx context.Context, s *session, studyID int64, take func(id, seq int64) *trials.Trial) error {
	calm := context.WithoutCancel(ctx)
	metric, newest, err := head(calm, s, studyID)
	if err != nil {
		return err
	}
	if v.last > 0 && v.metric != metric {
		return errForgotten // Optuna's intermediate values have another name now
	}
	v.metric = metric
	ids, spans, err := v.news(calm, s, studyID)
	if err != nil {
		return err
	}
	if err := v.load(ctx, s, metric, ids, spans, take); err != nil {
		return err
	}
	v.compact()
	v.count = newest + 1
	v.open, err = openTrials(calm, s, studyID, metric, v.names)
	return err
}

// load takes finished trials in, in the order of ids: what the writer has handed over if it is of the same entry of the
// log, what is in the tables otherwise.
func (v *view) load(ctx context.Context, s *session, metric string, ids []int64, spans []span, take func(id, seq int64) *trials.Trial) error {
	calm := context.WithoutCancel(ctx)
	for from := 0; from < len(ids); from += chunk {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := ids[from:min(from+chunk, len(ids))]
		done, missing := make([]*trials.Trial, len(part)), []int64(nil)
		for i, id := range part {
			if done[i] = take(id, spans[from+i].seq); done[i] == nil {
				missing = append(missing, id)
			}
		}
		read, err := loadTrials(calm, s, missing, metric, v.names)
		if err != nil {
			return err
		}
		for i, t := range done {
			if t == nil {
				one := read[0]
				t, read = &one, read[1:]
			}
			v.keep(t, spans[from+i])
		}
	}
	return nil
}

// head says what a study measures and the number of its last trial (-1: none); trials.ErrNoStudy.
func head(ctx context.Context, s *session, studyID int64) (metric string, newest int, err error) {
	var ours string
	var names sql.NullString
	err = s.one(ctx, `SELECT COALESCE(m.objective, ''), a.value_json,
		COALESCE((SELECT number FROM trials WHERE study_id = ?1 ORDER BY trial_id DESC LIMIT 1), -1)
		FROM studies s LEFT JOIN mapsweep_studies m USING (study_id)
		LEFT JOIN study_system_attributes a ON a.study_id = s.study_id AND a."key" = '`+optuna.MetricNames+`'
		WHERE s.study_id = ?1`, []any{studyID}, &ours, &names, &newest)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("study with ID %d: %w", studyID, trials.ErrNoStudy)
	}
	return objective(ours, names.String), newest, err
}

// news finds the trials of new log entries, each once, with its first and last one, in the order of the last ones.
func (v *view) news(ctx context.Context, s *session, studyID int64) (ids []int64, spans []span, err error) {
	before, all := v.last, map[int64]span{}
	err = each(ctx, s, func(r *sql.Rows) error {
		var seq, id int64
		if err := r.Scan(&seq, &id); err != nil {
			return err
		}
		if v.last = seq; id == 0 {
			if before > 0 {
				return errForgotten
			}
			return nil
		}
		one, again := all[id]
		if !again {
			one.ended = seq
		}
		one.seq = seq
		ids, spans, all[id] = append(ids, id), append(spans, one), one
		return nil
	}, "SELECT seq, trial_id FROM mapsweep_log WHERE study_id = ? AND seq > ? ORDER BY seq", studyID, v.last)
	if err != nil {
		return nil, nil, err
	}
	n := 0
	for i, id := range ids {
		if all[id] == spans[i] {
			ids[n], spans[n] = id, spans[i]
			n++
		}
	}
	return ids[:n], spans[:n], nil
}

// keep takes a finished trial in at its number.
func (v *view) keep(t *trials.Trial, at span) {
	if !t.State.Finished() || t.Number < 0 {
		return // someone edited the file by hand
	}
	for len(v.finished) <= t.Number {
		v.finished = append(v.finished, known{})
	}
	if old := v.finished[t.Number]; old.trial != nil {
		at.ended = old.ended
	}
	v.finished[t.Number] = known{trial: t, span: at}
	v.log = append(v.log, entry{seq: at.seq, number: t.Number})
}

// compact drops entries that are out of date when they are the larger part.
func (v *view) compact() {
	if len(v.log) > 2*len(v.finished)+chunk {
		v.log = slices.DeleteFunc(v.log, func(e entry) bool { return v.finished[e.number].seq != e.seq })
	}
}

// openTrials reads the trials that run or wait, by number.
func openTrials(ctx context.Context, s *session, studyID int64, metric string, known names) ([]trials.Trial, error) {
	var ids []int64
	err := each(ctx, s, func(r *sql.Rows) error {
		var id int64
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}, "SELECT trial_id FROM trials WHERE study_id = ? AND state IN ('RUNNING', 'WAITING') ORDER BY number", studyID)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return loadTrials(ctx, s, ids, metric, known)
}
