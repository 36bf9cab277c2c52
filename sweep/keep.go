package sweep

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// AttrCheckpoint is the final checkpoint of a trial, relative to the trial's directory.
const AttrCheckpoint = "mapsweep:checkpoint"

// Keepers returns the numbers of the ended trials whose checkpoints stay on disk: the keep.Best best
// complete and feasible ones by the first objective, and the keep.Last that ended last. Trials that run or wait are not its business: whatever
// they have, they need to resume.
func Keepers(keep studies.Keep, dir trials.Direction, ts []trials.Trial) map[int]bool {
	return keepers(keep, dir, ts, nil)
}

// keepers is Keepers for a search whose configurations are ranked: the trials of the incumbent come before those of the next one.
func keepers(keep studies.Keep, dir trials.Direction, ts []trials.Trial, ranked []Incumbent) map[int]bool {
	rank := map[int]int{}
	for i, in := range ranked {
		for _, n := range in.Trials {
			rank[n] = i - len(ranked) // those that are not ranked come last
		}
	}
	var scored, ended []*trials.Trial // sorting trials themselves would move much memory
	for i := range ts {
		t := &ts[i]
		if t.State == trials.Complete && len(t.Values) > 0 && t.Feasible() {
			scored = append(scored, t)
		}
		if t.State == trials.Complete || t.State == trials.Pruned {
			ended = append(ended, t)
		}
	}
	slices.SortStableFunc(scored, func(a, b *trials.Trial) int {
		return cmp.Or(cmp.Compare(rank[a.Number], rank[b.Number]), byValue(dir, a, b))
	})
	slices.SortStableFunc(ended, func(a, b *trials.Trial) int {
		return cmp.Or(b.Finished.Compare(a.Finished), cmp.Compare(b.Number, a.Number))
	})
	kept := map[int]bool{}
	for _, t := range scored[:min(keep.Best, len(scored))] {
		kept[t.Number] = true
	}
	for _, t := range ended[:min(keep.Last, len(ended))] {
		kept[t.Number] = true
	}
	return kept
}

// retain deletes the checkpoints of ended trials that are not worth keeping, and that no trial may go on from. It only touches
// files inside those trials' directories, and each trial once: calls follow each other.
func (r *run) retain(ranked []Incumbent) error {
	ts := r.ledger.list()
	kept := keepers(r.spec.Keep, r.spec.Objective.Direction, ts, ranked)
	needed := r.mayGoOn(ts)
	resumer, _ := r.Backend.(trainer.Resumer)
	cleaner, _ := r.Backend.(trainer.Cleaner)
	var errs []error
	for _, t := range ts {
		if !t.State.Finished() || kept[t.Number] || needed(t) || r.cleaned[t.ID] {
			continue
		}
		r.cleaned[t.ID] = true
		dir := trialDir(r.Dir, t.Number)
		if rel := t.Text(AttrCheckpoint); rel != "" && filepath.IsLocal(rel) {
			errs = append(errs, remove(filepath.Join(dir, rel)))
		}
		if cleaner != nil {
			errs = append(errs, cleaner.Clean(dir))
		}
		if resumer != nil {
			errs = append(errs, removeLatest(resumer, dir))
		}
	}
	return errors.Join(errs...)
}

// removeLatest deletes every checkpoint that the backend would resume from.
func removeLatest(b trainer.Resumer, dir string) error {
	for {
		path, _ := b.Latest(dir)
		if path == "" {
			return nil
		}
		if !inside(dir, path) {
			return nil // elsewhere: not ours to delete
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("delete checkpoint: %w", err)
		}
	}
}

// inside says whether path lies in dir; either may be relative.
func inside(dir, path string) bool {
	d, err := filepath.Abs(dir)
	p, err2 := filepath.Abs(path)
	if err != nil || err2 != nil {
		return false
	}
	rel, err := filepath.Rel(d, p)
	return err == nil && filepath.IsLocal(rel)
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete checkpoint: %w", err)
	}
	return nil
}
