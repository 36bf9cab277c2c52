package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/internal/optuna"
)

// CreateStudy implements trials.Writer.
func (d *DB) CreateStudy(ctx context.Context, st trials.Study) (trials.Study, error) {
	if err := st.Check(); err != nil {
		return trials.Study{}, fmt.Errorf("create study: %w", err)
	}
	st = st.Clone()
	if st.Created.IsZero() {
		st.Created = trials.Now()
	}
	err := d.write(ctx, "create study", func(ctx context.Context, s *session) error {
		var id int64
		err := s.one(ctx, "SELECT study_id FROM studies WHERE study_name = ?", []any{st.Name}, &id)
		if err == nil {
			return fmt.Errorf("%q: %w", st.Name, trials.ErrStudyExists)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if st.ID, err = s.insert(ctx, "INSERT INTO studies (study_name) VALUES (?)", st.Name); err != nil {
			return err
		}
		for i, dir := range st.Directions {
			if err := s.exec(ctx, "INSERT INTO study_directions (direction, study_id, objective) VALUES (?, ?, ?)", string(dir), st.ID, i); err != nil {
				return err
			}
		}
		if err := saveMetricNames(ctx, s, st); err != nil {
			return err
		}
		return saveStudy(ctx, s, st)
	})
	if err != nil {
		return trials.Study{}, err
	}
	return st, nil
}

// UpdateStudy implements trials.Writer. It also adopts a study that Optuna created:
// then Objective is kept, too.
func (d *DB) UpdateStudy(ctx context.Context, st trials.Study) error {
	return d.write(ctx, "update study", func(ctx context.Context, s *session) error {
		old, err := oneStudy(ctx, s, "study_id = ?", st.ID)
		if err != nil {
			return err
		}
		st := st.Clone()
		st.Name, st.Directions, st.Metrics, st.Created = old.Name, old.Directions, old.Metrics, old.Created
		if err := st.Check(); err != nil {
			return err
		}
		if st.Objective == "" {
			st.Objective = old.Objective
		}
		delete(s.memo.studies, st.ID) // the objective may have its name only now
		return saveStudy(ctx, s, st)
	})
}

// SetStudyAttrs implements trials.Writer.
func (d *DB) SetStudyAttrs(ctx context.Context, studyID int64, attrs map[string]json.RawMessage) error {
	if err := trials.CheckAttrs(attrs); err != nil {
		return fmt.Errorf("set attributes of study: %w", err)
	}
	return d.write(ctx, "set attributes of study", func(ctx context.Context, s *session) error {
		if err := needStudy(ctx, s, studyID); err != nil {
			return err
		}
		set := map[string]json.RawMessage{}
		for name, v := range attrs {
			if !trials.Null(v) {
				set[name] = v
				continue
			}
			if err := s.exec(ctx, `DELETE FROM study_user_attributes WHERE study_id = ? AND "key" = ?`, studyID, name); err != nil {
				return err
			}
		}
		return saveStudyAttrs(ctx, s, studyID, set)
	})
}

// saveStudyAttrs writes attributes as Optuna's user attributes; others stay.
func saveStudyAttrs(ctx context.Context, s *session, studyID int64, attrs map[string]json.RawMessage) error {
	for name, v := range attrs {
		err := s.exec(ctx, `INSERT INTO study_user_attributes (study_id, "key", value_json) VALUES (?, ?, ?)
			ON CONFLICT (study_id, "key") DO UPDATE SET value_json = excluded.value_json`, studyID, name, string(v))
		if err != nil {
			return err
		}
	}
	return nil
}

// saveStudy writes what Optuna's table studies has no place for. The objective of a study stays what it was.
func saveStudy(ctx context.Context, s *session, st trials.Study) error {
	provenance, err := json.Marshal(st.Provenance)
	if err != nil {
		return fmt.Errorf("encode provenance: %w", err)
	}
	var resolved any
	if len(st.Resolved) > 0 {
		resolved = string(st.Resolved)
	}
	err = s.exec(ctx, `INSERT INTO mapsweep_studies (study_id, objective, file, resolved, provenance, created) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (study_id) DO UPDATE SET file = excluded.file, resolved = excluded.resolved, provenance = excluded.provenance`,
		st.ID, st.Objective, st.File, resolved, string(provenance), optuna.FormatTime(st.Created))
	if err != nil {
		return err
	}
	return saveStudyAttrs(ctx, s, st.ID, st.Attrs)
}

// Study implements trials.Reader.
func (d *DB) Study(ctx context.Context, name string) (trials.Study, error) {
	var st trials.Study
	err := d.read(ctx, "read study", func(ctx context.Context, q *session) (err error) {
		st, err = oneStudy(ctx, q, "study_name = ?", name)
		return err
	})
	return st, err
}

// Studies implements trials.Reader.
func (d *DB) Studies(ctx context.Context) ([]trials.Study, error) {
	var all []trials.Study
	err := d.read(ctx, "list studies", func(ctx context.Context, q *session) (err error) {
		all, err = readStudies(ctx, q, "study_id >= ?", 0)
		return err
	})
	return all, err
}

func oneStudy(ctx context.Context, q *session, where string, arg any) (trials.Study, error) {
	all, err := readStudies(ctx, q, where, arg)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("%v: %w", arg, trials.ErrNoStudy)
	}
	if err != nil {
		return trials.Study{}, err
	}
	return all[0], nil
}

// readStudies reads the studies that where (with one argument) selects, by ID.
func readStudies(ctx context.Context, q *session, where string, arg any) ([]trials.Study, error) {
	var all []trials.Study
	err := each(ctx, q, func(r *sql.Rows) error {
		st, err := scanStudy(r)
		all = append(all, st)
		return err
	}, `SELECT s.study_id, s.study_name, COALESCE(m.objective, ''), m.file, m.resolved, m.provenance, m.created, a.value_json
		FROM studies s LEFT JOIN mapsweep_studies m USING (study_id)
		LEFT JOIN study_system_attributes a ON a.study_id = s.study_id AND a."key" = '`+optuna.MetricNames+`'
		WHERE s.`+where+` ORDER BY s.study_id`, arg)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if err := readStudyRest(ctx, q, &all[i]); err != nil {
			return nil, fmt.Errorf("study %q: %w", all[i].Name, err)
		}
	}
	return all, nil
}

func scanStudy(r *sql.Rows) (trials.Study, error) {
	st := trials.Study{Attrs: map[string]json.RawMessage{}}
	var resolved, provenance, created, metrics sql.NullString
	err := r.Scan(&st.ID, &st.Name, &st.Objective, &st.File, &resolved, &provenance, &created, &metrics)
	if err != nil {
		return st, err
	}
	if resolved.Valid {
		st.Resolved = json.RawMessage(resolved.String)
	}
	if provenance.Valid {
		if err := json.Unmarshal([]byte(provenance.String), &st.Provenance); err != nil {
			return st, fmt.Errorf("decode provenance of study %q: %w", st.Name, err)
		}
	}
	st.Objective = objective(st.Objective, metrics.String)
	st.Metrics = metricNames(metrics.String)
	st.Created, err = optuna.ParseTime(created.String)
	return st, err
}

// objective is the metric's name: ours, else the first that Optuna's user gave, else "value".
func objective(ours, named string) string {
	if ours != "" {
		return ours
	}
	if names := metricNames(named); len(names) > 0 {
		return names[0]
	}
	return "value"
}

// metricNames are the names of all objectives that Optuna's system attribute holds, nil if there is none.
func metricNames(named string) (names []string) {
	if json.Unmarshal([]byte(named), &names) != nil {
		return nil
	}
	return names
}

// saveMetricNames names the objectives of a new study for Optuna, if there are several.
func saveMetricNames(ctx context.Context, s *session, st trials.Study) error {
	if len(st.Metrics) < 2 {
		return nil
	}
	names, err := json.Marshal(st.Metrics)
	if err != nil {
		return fmt.Errorf("encode names of objectives: %w", err)
	}
	return s.exec(ctx, `INSERT INTO study_system_attributes (study_id, "key", value_json) VALUES (?, ?, ?)`, st.ID, optuna.MetricNames, string(names))
}

func readStudyRest(ctx context.Context, q *session, st *trials.Study) error {
	err := each(ctx, q, func(r *sql.Rows) error {
		var text string
		if err := r.Scan(&text); err != nil {
			return err
		}
		dir, err := optuna.ParseDirection(text)
		st.Directions = append(st.Directions, dir)
		return err
	}, "SELECT direction FROM study_directions WHERE study_id = ? ORDER BY objective", st.ID)
	if err != nil {
		return err
	}
	return each(ctx, q, func(r *sql.Rows) error {
		var name, text string
		if err := r.Scan(&name, &text); err != nil {
			return err
		}
		st.Attrs[name] = attribute(text)
		return nil
	}, `SELECT "key", value_json FROM study_user_attributes WHERE study_id = ?`, st.ID)
}

// attribute reads an attribute's JSON; text that is none, which only a stranger can have written, becomes a JSON string.
func attribute(text string) json.RawMessage {
	raw, err := trials.CleanJSON(text)
	if err != nil {
		return trials.Attr(text)
	}
	return raw
}
