package sweep_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

func TestKeepers(t *testing.T) {
	at := func(n int, s trials.State, minute int, values ...float64) trials.Trial {
		return trials.Trial{Number: n, State: s, Values: values, Finished: time.Unix(int64(60*minute), 0)}
	}
	ts := []trials.Trial{
		at(0, trials.Complete, 9, 0.5), at(1, trials.Complete, 1, 0.7), at(2, trials.Pruned, 5, 0.9), at(3, trials.Fail, 20),
		at(4, trials.Complete, 2, 0.7), at(5, trials.Running, 0), at(6, trials.Complete, 3, 0.1),
	}
	for _, c := range []struct {
		keep studies.Keep
		dir  trials.Direction
		want []int
	}{
		{studies.Keep{Best: 1}, trials.Maximize, []int{1}},
		{studies.Keep{Best: 3}, trials.Maximize, []int{0, 1, 4}},
		{studies.Keep{Best: 1, Last: 1}, trials.Minimize, []int{0, 6}},
		{studies.Keep{Last: 2}, trials.Maximize, []int{0, 2}},
		{studies.Keep{Best: 99, Last: 99}, trials.Maximize, []int{0, 1, 2, 4, 6}},
		{studies.Keep{}, trials.Maximize, nil},
	} {
		got := slices.Sorted(maps.Keys(sweep.Keepers(c.keep, c.dir, ts)))
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v, %s: trials %v, want %v", c.keep, c.dir, got, c.want)
		}
	}
}

// TestRetention: at the end the checkpoints of the best and the last trial are there and no others.
func TestRetention(t *testing.T) {
	fake := trainertest.NewResumable()
	w := newBench(t, fake)
	spec := fixed()
	spec.Budget.Parallel = 1
	spec.Keep = studies.Keep{Best: 1, Last: 1}
	w.run(t, spec, nil)
	ts := w.trials(t, "fixed")
	best := 0
	for _, tr := range ts {
		if tr.Values[0] > ts[best].Values[0] {
			best = tr.Number
		}
	}
	want := []string{fmt.Sprintf("trial-%04d", best), "trial-0005"}
	var got []string
	found, _ := filepath.Glob(filepath.Join(w.Dir, "trial-*", "last.ckpt"))
	for _, f := range found {
		got = append(got, filepath.Base(filepath.Dir(f)))
	}
	slices.Sort(want)
	if !slices.Equal(got, slices.Compact(want)) {
		t.Errorf("checkpoints in %v, want %v", got, want)
	}
	if ts[best].Text(sweep.AttrCheckpoint) != "last.ckpt" {
		t.Errorf("checkpoint attribute %q", ts[best].Text(sweep.AttrCheckpoint))
	}
	if _, err := os.Stat(filepath.Join(w.Dir, "trial-0002", "effective.json")); err != nil {
		t.Errorf("other files must stay: %v", err)
	}
}
