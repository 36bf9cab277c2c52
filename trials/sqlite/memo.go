package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/internal/optuna"
)

// memo is what the writer knows of the file without reading it. It holds while nobody else commits (PRAGMA data_version
// of the writing connection) and no transaction of our own is rolled back; then it starts anew.
type memo struct {
	version int64
	studies map[int64]*facts
	// running are the trials that this process started, as they are in the file.
	running map[int64]*trials.Trial
	texts   map[string]string
}

// facts are what every write of a study needs to know of it.
type facts struct {
	objective  string // metric of the first objective
	objectives int
	next       int // number of the next trial
	spaces     map[string]storedSpace
	settled    map[string]distribution // by parameter, the last one
}

type storedSpace struct {
	id    int64
	space trials.Space // as it is read back; shared by trials
}

// distribution is what a description of a parameter (asked) became in its study, see settle.
type distribution struct {
	asked trials.Param
	param trials.Param
	text  string // Optuna's JSON
}

// text is the one copy of a name that many trials have.
func (m *memo) text(s string) string {
	if known, ok := m.texts[s]; ok {
		return known
	}
	m.texts[s] = s
	return s
}

func (m *memo) forget() {
	*m = memo{version: m.version, studies: map[int64]*facts{}, running: map[int64]*trials.Trial{}, texts: map[string]string{}}
}

// recall keeps the memo if nobody else has committed since the last transaction; the write lock is held.
func (s *session) recall(ctx context.Context) error {
	var version int64
	if err := s.one(ctx, "PRAGMA data_version", nil, &version); err != nil {
		return err
	}
	if version != s.memo.version || s.memo.studies == nil {
		s.memo.version = version
		s.memo.forget()
	}
	return nil
}

// study reads the facts of a study, or trials.ErrNoStudy.
func (s *session) study(ctx context.Context, studyID int64) (*facts, error) {
	if f := s.memo.studies[studyID]; f != nil {
		return f, nil
	}
	f := &facts{spaces: map[string]storedSpace{}, settled: map[string]distribution{}}
	var ours string
	var names sql.NullString
	err := s.one(ctx, `SELECT COALESCE(m.objective, ''), a.value_json,
		(SELECT COUNT(*) FROM study_directions d WHERE d.study_id = ?1),
		COALESCE((SELECT number FROM trials WHERE study_id = ?1 ORDER BY trial_id DESC LIMIT 1), -1) + 1
		FROM studies s LEFT JOIN mapsweep_studies m USING (study_id)
		LEFT JOIN study_system_attributes a ON a.study_id = s.study_id AND a."key" = '`+optuna.MetricNames+`'
		WHERE s.study_id = ?1`, []any{studyID}, &ours, &names, &f.objectives, &f.next)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("study with ID %d: %w", studyID, trials.ErrNoStudy)
	}
	if err != nil {
		return nil, err
	}
	f.objective = objective(ours, names.String)
	s.memo.studies[studyID] = f
	return f, nil
}

// follow keeps a trial that this process has just started, with a space that nobody else changes.
func (m *memo) follow(t trials.Trial, space trials.Space) {
	t.Space = nil
	c := t.Clone()
	c.Space = space
	m.running[t.ID] = &c
}

// measured takes a measurement in as Record stores it.
func (m *memo) measured(t *trials.Trial, me trials.Measurement) {
	metrics := make(map[string]float64, len(me.Metrics))
	for name, v := range me.Metrics {
		metrics[m.text(name)] = v
	}
	me.Metrics, me.At = metrics, me.At.UTC().Truncate(time.Microsecond)
	t.Measurements = append(t.Measurements, me)
}

// set takes attributes in.
func (m *memo) set(t *trials.Trial, attrs map[string]json.RawMessage) {
	for name, v := range attrs {
		t.Attrs[m.text(name)] = slices.Clone(v)
	}
}

// finish ends a trial as Finish stores it.
func (m *memo) finish(t *trials.Trial, o trials.Outcome, finished, ended time.Time, reason string) {
	m.set(t, o.Attrs)
	t.State, t.Values, t.Constraints, t.Finished = o.State, o.Scores(), nil, finished
	if violations := o.Violations(); len(violations) > 0 {
		t.Constraints = violations
	}
	last := &t.Attempts[len(t.Attempts)-1]
	last.Ended, last.Outcome, last.Reason = ended, trials.OutcomeName(o.State), reason
}

// hand is a finished trial on its way from the writer to the cache, so that it need not be read.
type hand struct {
	trial *trials.Trial
	seq   int64
}

// offer lays a trial of which all is known out for the cache; if nobody reads, it is not kept for long.
func (d *DB) offer(h hand) {
	d.handing.Lock()
	defer d.handing.Unlock()
	if len(d.hands) > 4*chunk {
		clear(d.hands)
	}
	d.hands[h.trial.ID] = h
}

// take is what was laid out of a trial as of that entry of the log, or nil.
func (d *DB) take(id, seq int64) *trials.Trial {
	d.handing.Lock()
	defer d.handing.Unlock()
	h := d.hands[id]
	if h.seq != seq {
		return nil
	}
	delete(d.hands, id)
	return h.trial
}
