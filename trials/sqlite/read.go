package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/internal/optuna"
)

// loader fills trials from the tables. Every query selects by the list of IDs in its argument.
type loader struct {
	ctx   context.Context
	q     *session
	ids   string // JSON list
	byID  map[int64]*trials.Trial
	ours  map[int64]bool // trials with a row in mapsweep_trials
	names names
}

// names keeps what the trials of a study have in common, so that it is decoded and held once: nobody changes it.
type names struct {
	texts  map[string]string
	spaces map[string]trials.Space
	dists  map[[2]string]trials.Param
}

func newNames() names {
	return names{texts: map[string]string{}, spaces: map[string]trials.Space{}, dists: map[[2]string]trials.Param{}}
}

// text is the one copy of a text that many trials have.
func (n names) text(s string) string {
	if known, ok := n.texts[s]; ok {
		return known
	}
	n.texts[s] = s
	return s
}

func (n names) space(text string) (trials.Space, error) {
	if known, ok := n.spaces[text]; ok {
		return known, nil
	}
	space, err := decodeSpace(text)
	if err == nil {
		n.spaces[text] = space
	}
	return n.spaces[text], err
}

const chosen = "IN (SELECT value FROM json_each(?1))"

// loadTrials reads whole trials, in the order of ids. objective names the metric of Optuna's intermediate values.
func loadTrials(ctx context.Context, q *session, ids []int64, objective string, known names) ([]trials.Trial, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	l := &loader{names: known, ctx: ctx, q: q, ids: string(list), byID: make(map[int64]*trials.Trial, len(ids)), ours: map[int64]bool{}}
	all := make([]trials.Trial, len(ids))
	for i, id := range ids {
		all[i] = trials.Trial{ID: id, Params: trials.Params{}, Attrs: map[string]json.RawMessage{}}
		l.byID[id] = &all[i]
	}
	steps := []func() error{l.base, l.params, l.system, l.values, l.attrs, l.epochs, l.metrics, l.attempts,
		func() error { return l.intermediate(objective) }}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// each runs a query over the chosen trials; scan gets the trial with the ID of the row's first column.
func (l *loader) each(text string, scan func(t *trials.Trial) error, dest ...any) error {
	var id int64
	dest = append([]any{&id}, dest...)
	return each(l.ctx, l.q, func(r *sql.Rows) error {
		if err := r.Scan(dest...); err != nil {
			return err
		}
		t := l.byID[id]
		if t == nil {
			return nil
		}
		if err := scan(t); err != nil {
			return fmt.Errorf("trial %d: %w", t.Number, err)
		}
		return nil
	}, text, l.ids)
}

func (l *loader) base() error {
	var number int
	var studyID int64
	var state string
	var start, end, heartbeat, key, params, space sql.NullString
	return l.each(`SELECT t.trial_id, t.number, t.study_id, t.state, CAST(t.datetime_start AS TEXT), CAST(t.datetime_complete AS TEXT),
		CAST(h.heartbeat AS TEXT), m.key, m.params, p.space
		FROM trials t LEFT JOIN mapsweep_trials m USING (trial_id)
		LEFT JOIN mapsweep_spaces p USING (space_id) LEFT JOIN trial_heartbeats h USING (trial_id)
		WHERE t.trial_id `+chosen, func(t *trials.Trial) (err error) {
		t.Number, t.StudyID = number, studyID
		var ok bool
		if t.State, ok = trials.ParseState(state); !ok {
			return fmt.Errorf("unknown state %q", state)
		}
		if t.Started, err = optuna.ParseTime(start.String); err != nil {
			return err
		}
		if t.Finished, err = optuna.ParseTime(end.String); err != nil {
			return err
		}
		if t.Heartbeat, err = optuna.ParseTime(heartbeat.String); err != nil {
			return err
		}
		if !key.Valid {
			t.Key = fmt.Sprintf("optuna-%d", number)
			return nil
		}
		l.ours[t.ID], t.Key = true, key.String
		if t.Params, err = optuna.DecodeParams(params.String); err != nil {
			return err
		}
		t.Space, err = l.names.space(space.String)
		return err
	}, &number, &studyID, &state, &start, &end, &heartbeat, &key, &params, &space)
}

// params adds what Optuna suggested; for our own trials everything is there already.
func (l *loader) params() error {
	var name, text string
	var x float64
	return l.each(`SELECT trial_id, param_name, param_value, distribution_json FROM trial_params
		WHERE trial_id `+chosen+` ORDER BY param_id`, func(t *trials.Trial) error {
		if _, known := t.Params[name]; known {
			return nil
		}
		p, known := l.names.dists[[2]string{name, text}]
		if !known {
			var err error
			if p, err = optuna.DecodeDistribution(name, text); err != nil {
				return err
			}
			l.names.dists[[2]string{name, text}] = p
		}
		v, err := p.External(x)
		if err != nil {
			return err
		}
		t.Params[l.names.text(name)] = v
		t.Space = append(t.Space, p)
		return nil
	}, &name, &x, &text)
}

// system adds Optuna's constraints, and what its enqueue_trial laid down.
func (l *loader) system() error {
	var name, text string
	return l.each(`SELECT trial_id, "key", value_json FROM trial_system_attributes
		WHERE "key" IN ('`+optuna.FixedParams+`', '`+optuna.Constraints+`') AND trial_id `+chosen, func(t *trials.Trial) (err error) {
		if name == optuna.Constraints {
			t.Constraints, err = optuna.DecodeConstraints(text)
			return err
		}
		if l.ours[t.ID] {
			return nil
		}
		fixed, err := optuna.DecodeParams(text)
		if err != nil {
			return err
		}
		t.Params = fixed.With(t.Params)
		return nil
	}, &name, &text)
}

func (l *loader) values() error {
	var x *float64
	var kind string
	return l.each(`SELECT trial_id, value, value_type FROM trial_values
		WHERE trial_id `+chosen+` ORDER BY trial_id, objective`, func(t *trials.Trial) error {
		v, err := optuna.DecodeValue(x, kind)
		t.Values = append(t.Values, v)
		return err
	}, &x, &kind)
}

func (l *loader) attrs() error {
	var name, text string
	return l.each(`SELECT trial_id, "key", value_json FROM trial_user_attributes WHERE trial_id `+chosen, func(t *trials.Trial) error {
		t.Attrs[l.names.text(name)] = attribute(text)
		return nil
	}, &name, &text)
}

func (l *loader) epochs() error {
	var epoch int
	var at sql.NullString
	return l.each(`SELECT trial_id, epoch, at FROM mapsweep_epochs WHERE trial_id `+chosen+` ORDER BY trial_id, epoch`, func(t *trials.Trial) error {
		date, err := optuna.ParseTime(at.String)
		t.Measurements = append(t.Measurements, trials.Measurement{Epoch: epoch, Metrics: map[string]float64{}, At: date})
		return err
	}, &epoch, &at)
}

func (l *loader) metrics() error {
	var epoch int
	var name, kind string
	var x *float64
	return l.each(`SELECT trial_id, epoch, metric, value, value_type FROM mapsweep_measurements WHERE trial_id `+chosen, func(t *trials.Trial) error {
		i, ok := find(t.Measurements, epoch)
		if !ok {
			return fmt.Errorf("metric %q has no epoch %d", name, epoch)
		}
		v, err := optuna.DecodeValue(x, kind)
		t.Measurements[i].Metrics[l.names.text(name)] = v
		return err
	}, &epoch, &name, &x, &kind)
}

// intermediate adds what Optuna reported at steps that we have not measured.
func (l *loader) intermediate(objective string) error {
	var step int
	var kind string
	var x *float64
	return l.each(`SELECT i.trial_id, i.step, i.intermediate_value, i.intermediate_value_type FROM trial_intermediate_values i
		LEFT JOIN mapsweep_epochs e ON e.trial_id = i.trial_id AND e.epoch = i.step
		WHERE e.trial_id IS NULL AND i.trial_id `+chosen, func(t *trials.Trial) error {
		v, err := optuna.DecodeValue(x, kind)
		at, _ := find(t.Measurements, step)
		t.Measurements = slices.Insert(t.Measurements, at, trials.Measurement{Epoch: step, Metrics: map[string]float64{objective: v}})
		return err
	}, &step, &x, &kind)
}

func find(ms []trials.Measurement, epoch int) (int, bool) {
	return slices.BinarySearchFunc(ms, epoch, func(m trials.Measurement, e int) int { return m.Epoch - e })
}

func (l *loader) attempts() error {
	var a trials.Attempt
	var started, ended, outcome, reason sql.NullString
	return l.each(`SELECT trial_id, number, worker, started, ended, outcome, reason FROM mapsweep_attempts
		WHERE trial_id `+chosen+` ORDER BY trial_id, number`, func(t *trials.Trial) (err error) {
		if a.Started, err = optuna.ParseTime(started.String); err != nil {
			return err
		}
		if a.Ended, err = optuna.ParseTime(ended.String); err != nil {
			return err
		}
		a.Worker, a.Outcome, a.Reason = l.names.text(a.Worker), l.names.text(outcome.String), reason.String
		t.Attempts = append(t.Attempts, a)
		return nil
	}, &a.Number, &a.Worker, &started, &ended, &outcome, &reason)
}

// oneTrial reads a trial of a study inside a writing transaction.
func oneTrial(ctx context.Context, s *session, id int64, f *facts) (trials.Trial, error) {
	all, err := loadTrials(ctx, s, []int64{id}, f.objective, newNames())
	if err != nil {
		return trials.Trial{}, err
	}
	return all[0], nil
}
