package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// Copied is what CopyTrials did, in trials.
type Copied struct {
	New     int // that were not there
	Renewed int // that were there without an end, and have one now
	Known   int // that were there already
}

// CopyTrials brings the trials of a study of another database, as Optuna's tables have them there, into a study of this one
// in one transaction: numbers, states, parameters with their distributions, values, intermediate values, attributes and
// dates; and the study's attributes. Trials that have ended here stay as they are, those that have not are brought up to
// date. trials.ErrInvalid if trials that are here already are not those of the other study.
func (d *DB) CopyTrials(ctx context.Context, studyID int64, from *DB, fromID int64) (Copied, error) {
	var done Copied
	err := from.read(ctx, "read study to copy", func(ctx context.Context, q *session) error {
		there, err := listStates(ctx, q, fromID)
		if err != nil {
			return err
		}
		return d.writeAt(ctx, "copy trials", d.durability, func(ctx context.Context, s *session) (err error) {
			c := copier{ctx: ctx, q: q, s: s, from: fromID, study: studyID, ids: map[int64]int64{}}
			if err := c.match(there); err != nil {
				return err
			}
			done = c.done
			s.memo.forget() // what it knows of the study has changed
			return c.run()
		})
	})
	return done, err
}

// recorded is a row of Optuna's table trials.
type recorded struct {
	id, number     int64
	state          string
	started, ended sql.NullString
}

func (r recorded) finished() bool {
	state, ok := trials.ParseState(r.state)
	return ok && state.Finished()
}

// listStates lists the trials of a study by number.
func listStates(ctx context.Context, q *session, studyID int64) ([]recorded, error) {
	var all []recorded
	err := each(ctx, q, func(r *sql.Rows) error {
		var t recorded
		err := r.Scan(&t.id, &t.number, &t.state, &t.started, &t.ended)
		all = append(all, t)
		return err
	}, `SELECT trial_id, number, state, CAST(datetime_start AS TEXT), CAST(datetime_complete AS TEXT) FROM trials
		WHERE study_id = ? AND number IS NOT NULL ORDER BY number`, studyID)
	return all, err
}

// copier copies the trials of one study, from a reading transaction of one file to a writing one of another.
type copier struct {
	ctx         context.Context
	q, s        *session // there and here
	from, study int64
	write       []recorded      // that are to be written, with their IDs there
	ids         map[int64]int64 // their IDs there -> here
	done        Copied
}

// match compares the trials there with those here, by number, and makes rows for those that are missing.
func (c *copier) match(there []recorded) error {
	if err := needStudy(c.ctx, c.s, c.study); err != nil {
		return err
	}
	here, err := listStates(c.ctx, c.s, c.study)
	if err != nil {
		return err
	}
	if len(here) > len(there) {
		return fmt.Errorf("%w: %d trials were copied before, and now there are %d", trials.ErrInvalid, len(here), len(there))
	}
	for i, t := range there {
		if i < len(here) {
			if err := c.again(here[i], t); err != nil {
				return err
			}
			continue
		}
		id, err := c.s.insert(c.ctx, "INSERT INTO trials (number, study_id, state, datetime_start) VALUES (?, ?, 'RUNNING', ?)", t.number, c.study, t.started)
		if err != nil {
			return err
		}
		c.ids[t.id] = id
		c.write = append(c.write, t)
		c.done.New++
	}
	return nil
}

// again decides about a trial that is here already.
func (c *copier) again(here, there recorded) error {
	switch {
	case here.number != there.number, here.finished() && (here.state != there.state || here.started != there.started || here.ended != there.ended):
		return fmt.Errorf("%w: trial %d is not the one that was copied before", trials.ErrInvalid, there.number)
	case here.finished():
		c.done.Known++
		return nil
	case there.finished():
		c.done.Renewed++
	default:
		c.done.Known++
	}
	c.ids[there.id] = here.id
	c.write = append(c.write, there)
	for _, t := range ofTrial {
		if err := c.s.exec(c.ctx, "DELETE FROM "+t.name+" WHERE trial_id = ?", here.id); err != nil {
			return err
		}
	}
	return nil
}

// table is one of Optuna's tables with the columns that are copied beside the key of whose rows they are.
type table struct {
	name    string
	columns []string
}

var ofTrial = []table{
	{"trial_params", []string{"param_name", "param_value", "distribution_json"}},
	{"trial_values", []string{"objective", "value", "value_type"}},
	{"trial_intermediate_values", []string{"step", "intermediate_value", "intermediate_value_type"}},
	{"trial_user_attributes", []string{`"key"`, "value_json"}},
	{"trial_system_attributes", []string{`"key"`, "value_json"}},
}

// run copies what belongs to the trials, ends them in the order in which they ended, and copies the study's attributes.
func (c *copier) run() error {
	for _, t := range ofTrial {
		err := c.rows(t, `SELECT x.trial_id, `+t.list("x.")+` FROM `+t.name+` x JOIN trials t ON t.trial_id = x.trial_id WHERE t.study_id = ?`,
			`INSERT INTO `+t.name+` (trial_id, `+t.list("")+`) VALUES (?`+strings.Repeat(", ?", len(t.columns))+`)`)
		if err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	slices.SortStableFunc(c.write, func(a, b recorded) int { return cmp.Compare(a.ended.String, b.ended.String) })
	for _, t := range c.write {
		err := c.s.exec(c.ctx, "UPDATE trials SET state = ?, datetime_start = ?, datetime_complete = ? WHERE trial_id = ?", t.state, t.started, t.ended, c.ids[t.id])
		if err != nil {
			return err
		}
	}
	return c.attributes()
}

func (t table) list(prefix string) string { return prefix + strings.Join(t.columns, ", "+prefix) }

// rows copies the rows that sel finds; the first column is the ID of the trial there.
func (c *copier) rows(t table, sel, insert string) error {
	values := make([]any, len(t.columns)+1)
	dest := make([]any, len(values))
	for i := range values {
		dest[i] = &values[i]
	}
	return each(c.ctx, c.q, func(r *sql.Rows) error {
		if err := r.Scan(dest...); err != nil {
			return err
		}
		there, ok := values[0].(int64)
		here, wanted := c.ids[there]
		if !ok || !wanted {
			return nil
		}
		values[0] = here
		return c.s.exec(c.ctx, insert, values...)
	}, sel, c.from)
}

// attributes copies those of the study. A study that was itself copied does not hand that on.
func (c *copier) attributes() error {
	for _, name := range []string{"study_user_attributes", "study_system_attributes"} {
		err := each(c.ctx, c.q, func(r *sql.Rows) error {
			var key string
			var value sql.NullString
			if err := r.Scan(&key, &value); err != nil {
				return err
			}
			return c.s.exec(c.ctx, `INSERT INTO `+name+` (study_id, "key", value_json) VALUES (?, ?, ?)
				ON CONFLICT (study_id, "key") DO UPDATE SET value_json = excluded.value_json`, c.study, key, value)
		}, `SELECT "key", value_json FROM `+name+` WHERE study_id = ? AND "key" <> '`+trials.AttrImported+`'`, c.from)
		if err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
	}
	return nil
}

// OptunaVersion is the version of Optuna that made the database; "" if it does not say.
func (d *DB) OptunaVersion(ctx context.Context) (string, error) {
	var version sql.NullString
	err := d.read(ctx, "read version of Optuna", func(ctx context.Context, q *session) error {
		return each(ctx, q, func(r *sql.Rows) error { return r.Scan(&version) }, "SELECT library_version FROM version_info")
	})
	return version.String, err
}
