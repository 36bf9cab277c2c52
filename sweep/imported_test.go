package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/memory"
)

// pastRun is a run of two epochs whose name is its path and hash.
func pastRun(name string, seed int64, params trials.Params) sweep.Past {
	p := sweep.Past{Path: "/past/" + name, Hash: name, Params: params, Epochs: 2, Seed: seed, Data: "d"}
	for e := range 2 {
		p.Measurements = append(p.Measurements, trials.Measurement{Epoch: e + 1, Metrics: map[string]float64{"score": float64(e) / 2}, At: trials.Now()})
	}
	return p
}

func importOptions() sweep.ImportOptions {
	return sweep.ImportOptions{Name: "past", From: "test", Order: []string{"b", "a"}, Default: trials.Params{"a": int64(1), "b": int64(1), "c": int64(1)},
		Objective: studies.Objective{Metric: "score", Direction: trials.Maximize, Epoch: "last", Split: "val"}, Trainer: studies.Trainer{Backend: "yolov9"}}
}

func TestImportDesign(t *testing.T) {
	at := func(a, b int64) trials.Params { return trials.Params{"a": a, "b": b, "c": int64(1)} }
	tests := []struct {
		name     string
		runs     []sweep.Past
		baseline string
		want     string // design, baseline, factors with levels
		arms     string // arm/replicate of each run
	}{
		{"one run", []sweep.Past{pastRun("x", 0, at(1, 1))}, "", "one-factor a=1 b=1", "baseline/0"},
		{"seeds", []sweep.Past{pastRun("x", 5, at(1, 1)), pastRun("y", 3, at(1, 1))}, "", "one-factor a=1 b=1", "baseline/1 baseline/0"},
		{"the nearer to the default is the baseline", []sweep.Past{pastRun("x", 0, at(2, 1)), pastRun("y", 0, at(1, 1))}, "", "one-factor a=1 b=1 a[1 2]", "a=2/0 baseline/0"},
		{"one factor each", []sweep.Past{pastRun("x", 0, at(2, 2)), pastRun("y", 0, at(3, 2)), pastRun("z", 0, at(2, 1)), pastRun("w", 7, at(2, 1))}, "",
			"one-factor a=2 b=2 b[2 1] a[2 3]", "baseline/0 a=3/0 b=1/0 b=1/1"},
		{"no baseline", []sweep.Past{pastRun("x", 0, at(2, 2)), pastRun("y", 0, at(1, 1))}, "", "grid a=1 b=1 b[1 2] a[1 2]", "b=2 a=2/0 b=1 a=1/0"},
		{"a baseline was named", []sweep.Past{pastRun("x", 0, at(2, 2)), pastRun("y", 0, at(1, 1))}, "x", "factorial a=2 b=2 b[2 1] a[2 1]", "baseline/0 b=1 a=1/0"},
		{"a baseline was named among single changes", []sweep.Past{pastRun("x", 0, at(2, 1)), pastRun("y", 0, at(1, 1))}, "x", "one-factor a=2 b=1 a[2 1]", "baseline/0 a=1/0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := memory.New()
			o := importOptions()
			o.Baseline = tt.baseline
			done, err := sweep.Import(t.Context(), store, o, tt.runs)
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprintf("%s a=%v b=%v", done.Spec.Design, done.Spec.Baseline["a"], done.Spec.Baseline["b"])
			for _, f := range done.Spec.Factors {
				got += fmt.Sprintf(" %s%v", f.Name, f.Levels)
			}
			if got != tt.want {
				t.Errorf("study %q, want %q", got, tt.want)
			}
			st, err := store.Study(t.Context(), "past")
			if err != nil {
				t.Fatal(err)
			}
			ts, err := store.Trials(t.Context(), st.ID)
			if err != nil {
				t.Fatal(err)
			}
			var arms []string
			for _, tr := range ts {
				arms = append(arms, fmt.Sprintf("%s/%d", tr.Arm(), tr.Replicate()))
				if tr.State != trials.Complete || len(tr.Measurements) != 2 || tr.Values[0] != 0.5 {
					t.Errorf("trial %+v", tr)
				}
			}
			if got := strings.Join(arms, " "); got != tt.arms {
				t.Errorf("arms %q, want %q", got, tt.arms)
			}
		})
	}
}

// cutOff is a store that fails at the nth record.
type cutOff struct {
	trials.Store
	left int
}

var errCut = errors.New("cut off")

func (c *cutOff) Record(ctx context.Context, id int64, m trials.Measurement) error {
	if c.left--; c.left < 0 {
		return errCut
	}
	return c.Store.Record(ctx, id, m)
}

// TestImportCutOff: an import that was cut off in a run is completed by the same import, whatever is imported between.
func TestImportCutOff(t *testing.T) {
	store := memory.New()
	x, y, z := pastRun("x", 0, trials.Params{"a": int64(1)}), pastRun("y", 0, trials.Params{"a": int64(2)}), pastRun("z", 1, trials.Params{"a": int64(2)})
	if _, err := sweep.Import(t.Context(), &cutOff{store, 3}, importOptions(), []sweep.Past{x, y}); !errors.Is(err, errCut) {
		t.Fatalf("got %v", err)
	}
	done, err := sweep.Import(t.Context(), store, importOptions(), []sweep.Past{z})
	if err != nil || done.New != 1 || done.Complete != 2 || len(done.Notes) != 1 || !strings.Contains(done.Notes[0], "/past/y was cut off: import it again") {
		t.Fatalf("%+v, %v", done, err)
	}
	done, err = sweep.Import(t.Context(), store, importOptions(), []sweep.Past{x, y, z})
	if err != nil || done.New != 0 || done.Known != 3 || done.Complete != 3 || done.Failed != 0 || len(done.Notes) != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, err := sweep.Retry(t.Context(), store, "past", []int{0}); !errors.Is(err, sweep.ErrImported) || !errors.Is(err, sweep.ErrInvalid) {
		t.Errorf("retry: %v", err)
	}
}
