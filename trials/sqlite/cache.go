package sqlite

import (
	"context"
	"database/sql"
	"slices"
	"sync"

	"github.com/mapsweep/mapsweep/trials"
)

// cache keeps finished trials, which only SetAttrs can still change: it raises the
// trial's revision. Reading a study again then costs one row per finished trial.
type cache struct {
	mu       sync.Mutex
	finished map[int64]cached
}

type cached struct {
	trial    trials.Trial
	revision int64
}

// Trials implements trials.Reader.
func (d *DB) Trials(ctx context.Context, studyID int64) ([]trials.Trial, error) {
	var all []trials.Trial
	err := d.read(ctx, "read trials", func(q snapshot) error {
		st, err := oneStudy(ctx, q, "study_id = ?", studyID)
		if err != nil {
			return err
		}
		ids, revisions, err := listTrials(ctx, q, studyID)
		if err != nil {
			return err
		}
		all = make([]trials.Trial, len(ids))
		missing := d.cache.fill(all, ids, revisions)
		fresh, err := loadTrials(ctx, q, pick(ids, missing), st.Objective)
		if err != nil {
			return err
		}
		for i, at := range missing {
			all[at] = fresh[i]
			d.cache.keep(fresh[i], revisions[at])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Changes implements trials.Reader.
func (d *DB) Changes(ctx context.Context, studyID, after int64) (trials.Changes, error) {
	all, err := d.Trials(ctx, studyID)
	if err != nil {
		return trials.Changes{}, err
	}
	c := trials.Changes{Trials: len(all)}
	var done []*trials.Trial
	for i, t := range all {
		if t.State.Finished() {
			done = append(done, &all[i])
		} else {
			c.Open = append(c.Open, &all[i])
		}
	}
	slices.SortStableFunc(done, func(a, b *trials.Trial) int { return a.Finished.Compare(b.Finished) })
	c.Last = int64(len(done))
	for i := max(after, 0); i < c.Last; i++ {
		c.Log = append(c.Log, trials.Entry{Number: i + 1, Trial: done[i]})
	}
	return c, nil
}

// listTrials finds a study's trials by number, with their revisions.
func listTrials(ctx context.Context, q querier, studyID int64) (ids, revisions []int64, err error) {
	err = each(ctx, q, func(r *sql.Rows) error {
		var id, revision int64
		err := r.Scan(&id, &revision)
		ids, revisions = append(ids, id), append(revisions, revision)
		return err
	}, `SELECT t.trial_id, COALESCE(c.revision, 0) FROM trials t LEFT JOIN mapsweep_changes c USING (trial_id)
		WHERE t.study_id = ? ORDER BY t.number`, studyID)
	return ids, revisions, err
}

// fill copies what it has into all and returns the places that it has not.
func (c *cache) fill(all []trials.Trial, ids, revisions []int64) (missing []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, id := range ids {
		if k, ok := c.finished[id]; ok && k.revision == revisions[i] {
			all[i] = k.trial.Clone()
		} else {
			missing = append(missing, i)
		}
	}
	return missing
}

// keep stores a copy of a finished trial.
func (c *cache) keep(t trials.Trial, revision int64) {
	if !t.State.Finished() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished[t.ID] = cached{trial: t.Clone(), revision: revision}
}

func pick(ids []int64, places []int) []int64 {
	picked := make([]int64, len(places))
	for i, at := range places {
		picked[i] = ids[at]
	}
	return picked
}
