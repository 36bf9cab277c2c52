package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// Store keeps studies and trials in maps; everything goes in and comes out as a copy, but for finished trials: of each
// there is one snapshot, which all get and nobody may change.
type Store struct {
	mu      sync.Mutex
	studies []*study // by ID, which is index+1
	trials  []*trial // by ID, which is index+1
	names   map[string]*study
}

type study struct {
	trials.Study
	trials []*trial // by number
	open   []*trial // those that run or wait, by number
	log    []*trial // in the order in which they finished or were changed afterwards
	keys   map[string]*trial
	same   map[string]*trial       // by identity
	params map[string]trials.Param // first description of every parameter
}

type trial struct {
	trials.Trial
	study     *study
	attempt   map[int]int // epoch -> number of the attempt that measured it
	artifacts map[string]trials.Artifact
	snapshot  *trials.Trial // once it is finished
	entry     int           // number of its last entry in the log, its place from 1
	ended     int           // of its first one
}

var _ trials.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store { return &Store{names: map[string]*study{}} }

// Close does nothing.
func (s *Store) Close() error { return nil }

// CreateStudy implements trials.Writer.
func (s *Store) CreateStudy(ctx context.Context, st trials.Study) (trials.Study, error) {
	if err := ctx.Err(); err != nil {
		return trials.Study{}, err
	}
	if err := st.Check(); err != nil {
		return trials.Study{}, fmt.Errorf("create study: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names[st.Name] != nil {
		return trials.Study{}, fmt.Errorf("create study %q: %w", st.Name, trials.ErrStudyExists)
	}
	n := &study{Study: st.Clone(), keys: map[string]*trial{}, same: map[string]*trial{}, params: map[string]trials.Param{}}
	n.ID = int64(len(s.studies) + 1)
	if n.Created.IsZero() {
		n.Created = trials.Now()
	}
	s.studies = append(s.studies, n)
	s.names[n.Name] = n
	return n.Clone(), nil
}

// UpdateStudy implements trials.Writer.
func (s *Store) UpdateStudy(ctx context.Context, st trials.Study) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, err := s.study(st.ID)
	if err != nil {
		return fmt.Errorf("update study: %w", err)
	}
	c := st.Clone()
	c.Name, c.Directions, c.Metrics = old.Name, old.Directions, old.Metrics
	if err := c.Check(); err != nil {
		return fmt.Errorf("update study: %w", err)
	}
	old.File, old.Resolved, old.Provenance = c.File, c.Resolved, c.Provenance
	maps.Copy(old.Attrs, c.Attrs)
	return nil
}

// SetStudyAttrs implements trials.Writer.
func (s *Store) SetStudyAttrs(ctx context.Context, studyID int64, attrs map[string]json.RawMessage) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := trials.CheckAttrs(attrs); err != nil {
		return fmt.Errorf("set attributes of study: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.study(studyID)
	if err != nil {
		return fmt.Errorf("set attributes of study: %w", err)
	}
	for name, v := range trials.CloneAttrs(attrs) {
		if trials.Null(v) {
			delete(st.Attrs, name)
		} else {
			st.Attrs[name] = v
		}
	}
	return nil
}

// Study implements trials.Reader.
func (s *Store) Study(ctx context.Context, name string) (trials.Study, error) {
	if err := ctx.Err(); err != nil {
		return trials.Study{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.names[name]
	if st == nil {
		return trials.Study{}, fmt.Errorf("read study %q: %w", name, trials.ErrNoStudy)
	}
	return st.Clone(), nil
}

// Studies implements trials.Reader.
func (s *Store) Studies(ctx context.Context) ([]trials.Study, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []trials.Study
	for _, st := range s.studies {
		all = append(all, st.Clone())
	}
	return all, nil
}

// Trials implements trials.Reader.
func (s *Store) Trials(ctx context.Context, studyID int64) ([]trials.Trial, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.study(studyID)
	if err != nil {
		return nil, fmt.Errorf("read trials: %w", err)
	}
	all := make([]trials.Trial, 0, len(st.trials))
	for _, t := range st.trials {
		if t.snapshot != nil {
			all = append(all, *t.snapshot)
		} else {
			all = append(all, t.Clone())
		}
	}
	return all, nil
}

// Changes implements trials.Reader.
func (s *Store) Changes(ctx context.Context, studyID, after int64) (trials.Changes, error) {
	if err := ctx.Err(); err != nil {
		return trials.Changes{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.study(studyID)
	if err != nil {
		return trials.Changes{}, fmt.Errorf("read changes: %w", err)
	}
	c := trials.Changes{Last: int64(len(st.log)), Trials: len(st.trials)}
	for i := min(max(int(after), 0), len(st.log)); i < len(st.log); i++ {
		if t := st.log[i]; t.entry == i+1 {
			c.Log = append(c.Log, trials.Entry{Number: int64(t.entry), Ended: int64(t.ended), Trial: t.snapshot})
		}
	}
	for _, t := range st.open {
		snapshot := t.Clone()
		c.Open = append(c.Open, &snapshot)
	}
	return c, nil
}

// Artifact implements trials.Reader.
func (s *Store) Artifact(ctx context.Context, trialID int64, name string) (trials.Artifact, error) {
	if err := ctx.Err(); err != nil {
		return trials.Artifact{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.trial(trialID)
	if err != nil {
		return trials.Artifact{}, fmt.Errorf("read artifact %q: %w", name, err)
	}
	a, ok := t.artifacts[name]
	if !ok {
		return trials.Artifact{}, fmt.Errorf("read artifact %q of trial %d: %w", name, t.Number, trials.ErrNoArtifact)
	}
	a.Data = slices.Clone(a.Data)
	return a, nil
}

// Enqueue implements trials.Writer.
func (s *Store) Enqueue(ctx context.Context, studyID int64, sg trials.Suggestion) (trials.Trial, error) {
	if err := ctx.Err(); err != nil {
		return trials.Trial{}, err
	}
	c, err := sg.Clean()
	if err != nil {
		return trials.Trial{}, fmt.Errorf("enqueue trial: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.study(studyID)
	if err != nil {
		return trials.Trial{}, fmt.Errorf("enqueue trial: %w", err)
	}
	if err := st.accepts([]trials.Suggestion{c}); err != nil {
		return trials.Trial{}, fmt.Errorf("enqueue trial: %w", err)
	}
	return s.enqueue(st, c).Clone(), nil
}

// Start implements trials.Writer.
func (s *Store) Start(ctx context.Context, studyID int64, worker string, sgs ...trials.Suggestion) (trials.Trial, error) {
	if err := ctx.Err(); err != nil {
		return trials.Trial{}, err
	}
	clean := make([]trials.Suggestion, len(sgs))
	for i, sg := range sgs {
		var err error
		if clean[i], err = sg.Clean(); err != nil {
			return trials.Trial{}, fmt.Errorf("start trial: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.study(studyID)
	if err == nil {
		err = st.accepts(clean)
	}
	if err != nil {
		return trials.Trial{}, fmt.Errorf("start trial: %w", err)
	}
	for _, sg := range clean {
		s.enqueue(st, sg)
	}
	return st.claim(worker)
}

// Claim implements trials.Writer.
func (s *Store) Claim(ctx context.Context, studyID int64, worker string) (trials.Trial, error) {
	if err := ctx.Err(); err != nil {
		return trials.Trial{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.study(studyID)
	if err != nil {
		return trials.Trial{}, fmt.Errorf("claim trial: %w", err)
	}
	return st.claim(worker)
}

// Record implements trials.Writer.
func (s *Store) Record(ctx context.Context, trialID int64, m trials.Measurement) error {
	if err := m.Check(); err != nil {
		return fmt.Errorf("record measurement: %w", err)
	}
	return s.running(ctx, "record measurement", trialID, func(t *trial) {
		current := len(t.Attempts)
		m := m.Clone()
		m.At = m.At.UTC().Truncate(time.Microsecond)
		t.Measurements = slices.DeleteFunc(t.Measurements, func(o trials.Measurement) bool {
			return o.Epoch == m.Epoch || o.Epoch > m.Epoch && t.attempt[o.Epoch] < current
		})
		t.Measurements = append(t.Measurements, m)
		slices.SortFunc(t.Measurements, func(a, b trials.Measurement) int { return a.Epoch - b.Epoch })
		t.attempt[m.Epoch] = current
	})
}

// Heartbeat implements trials.Writer.
func (s *Store) Heartbeat(ctx context.Context, trialID int64) error {
	return s.running(ctx, "record heartbeat", trialID, func(t *trial) { t.Heartbeat = trials.Now() })
}

// Attach implements trials.Writer.
func (s *Store) Attach(ctx context.Context, trialID int64, a trials.Artifact) error {
	return s.change(ctx, "attach artifact", trialID, func(t *trial) error {
		if a.Name == "" {
			return fmt.Errorf("%w: an artifact needs a name", trials.ErrInvalid)
		}
		a.Data = append([]byte{}, a.Data...)
		t.artifacts[a.Name] = a
		return nil
	})
}

// SetAttrs implements trials.Writer.
func (s *Store) SetAttrs(ctx context.Context, trialID int64, attrs map[string]json.RawMessage) error {
	return s.change(ctx, "set attributes", trialID, func(t *trial) error {
		if err := t.setAttrs(attrs); err != nil {
			return err
		}
		if t.State.Finished() {
			t.enterLog()
		}
		return nil
	})
}

// Finish implements trials.Writer.
func (s *Store) Finish(ctx context.Context, trialID int64, o trials.Outcome) error {
	return s.change(ctx, "finish trial", trialID, func(t *trial) error { return t.finish(o) })
}

// finish ends a trial that has not ended.
func (t *trial) finish(o trials.Outcome) error {
	if err := o.Check(len(t.study.Directions)); err != nil {
		return err
	}
	if t.State.Finished() {
		return trials.ErrFinished
	}
	if err := t.setAttrs(o.Attrs); err != nil {
		return err
	}
	t.Finished = trials.Now()
	if t.Started.IsZero() {
		t.Started = t.Finished
	}
	t.State, t.Values, t.Constraints = o.State, o.Scores(), o.Violations()
	told := trials.Trial{Attrs: o.Attrs}
	ended := t.Finished
	if told.Text(trials.AttrClass) == trials.ClassLost {
		ended = t.LostAt(ended)
	}
	t.endAttempt(trials.OutcomeName(o.State), told.Text(trials.AttrReason), ended)
	t.study.open = slices.DeleteFunc(t.study.open, func(o *trial) bool { return o == t })
	t.enterLog()
	return nil
}

// Requeue implements trials.Writer.
func (s *Store) Requeue(ctx context.Context, trialID int64, outcome, reason string) error {
	return s.change(ctx, "requeue trial", trialID, func(t *trial) error {
		return t.requeue(outcome, reason)
	})
}

// Reclaim implements trials.Writer.
func (s *Store) Reclaim(ctx context.Context, earlier trials.Trial, reason string, attrs map[string]json.RawMessage) error {
	if err := trials.CheckAttrs(attrs); err != nil {
		return fmt.Errorf("reclaim trial: %w", err)
	}
	return s.silent(ctx, "reclaim trial", earlier, func(t *trial) error {
		if err := t.requeue(trials.ClassLost, reason); err != nil {
			return err
		}
		return t.setAttrs(attrs)
	})
}

// GiveUp implements trials.Writer.
func (s *Store) GiveUp(ctx context.Context, earlier trials.Trial, o trials.Outcome) error {
	return s.silent(ctx, "give trial up", earlier, func(t *trial) error { return t.finish(o) })
}

// silent is change for a running trial of which nothing was heard since the caller read it.
func (s *Store) silent(ctx context.Context, what string, earlier trials.Trial, do func(*trial) error) error {
	return s.change(ctx, what, earlier.ID, func(t *trial) error {
		if t.State != trials.Running {
			return trials.ErrNotRunning
		}
		if !t.Silent(earlier) {
			return fmt.Errorf("its worker gave a sign of life, or another one took it: %w", trials.ErrNotRunning)
		}
		return do(t)
	})
}

// requeue puts a running trial back and closes its attempt.
func (t *trial) requeue(outcome, reason string) error {
	if t.State != trials.Running {
		return trials.ErrNotRunning
	}
	ended := trials.Now()
	if outcome == trials.ClassLost {
		ended = t.LostAt(ended)
	}
	t.endAttempt(outcome, reason, ended)
	t.State, t.Started, t.Heartbeat = trials.Waiting, time.Time{}, time.Time{}
	return nil
}
