package design_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/trials"
)

func tuned(repeats, replicates int) studies.Spec {
	return studies.Spec{Name: "t", Design: studies.DesignOneFactor, Replicates: replicates, Seed: 7,
		Baseline: trials.Params{"mosaic": 1.0}, Factors: []studies.Factor{{Name: "mosaic", Levels: []any{1.0, 0.0}}},
		Trainer: studies.Trainer{Data: []string{"a", "b"}},
		Tune:    &studies.Tune{Repeats: repeats, Trials: 10}}
}

func TestTunedPoints(t *testing.T) {
	spec := tuned(3, 2)
	plan, err := design.Points(spec)
	if err != nil {
		t.Fatal(err)
	}
	points := design.TunedPoints(plan, spec)
	if want := 2 * 2 * 2 * 3; len(points) != want {
		t.Fatalf("%d points, want %d: arms x replicates x data sets x tunings", len(points), want)
	}
	keys, seeds := map[string]bool{}, map[[2]int]int64{}
	for _, p := range plan.Points {
		keys[p.Key] = true
	}
	for _, p := range points {
		if keys[p.Key] {
			t.Errorf("key %q occurs twice", p.Key)
		}
		keys[p.Key] = true
		at := [2]int{p.Tuning, p.Replicate}
		if s, ok := seeds[at]; ok && s != p.Seed {
			t.Errorf("%s: arms are not paired: seeds %d and %d", p.Key, s, p.Seed)
		}
		seeds[at] = p.Seed
	}
	more := tuned(3, 5)
	if plan, err = design.Points(more); err != nil {
		t.Fatal(err)
	}
	later := map[string]int64{}
	for _, p := range design.TunedPoints(plan, more) {
		later[p.Key] = p.Seed
	}
	for _, p := range points {
		if later[p.Key] != p.Seed {
			t.Errorf("%s: seed %d, with more replicates %d", p.Key, p.Seed, later[p.Key])
		}
	}
	spec.Tune = nil
	if got := design.TunedPoints(plan, spec); got != nil {
		t.Errorf("%d points without tune", len(got))
	}
}

// Nothing that was trained while tuning has a seed of the comparison, and tunings differ.
func TestTuningSeedsAreFresh(t *testing.T) {
	const replicates, repetitions, tunings = 500, 1000, 6
	for study := range int64(20) {
		final := map[int64]bool{}
		for s := range replicates {
			final[design.Seed(study, s)] = true
			for r := range tunings {
				final[design.TunedSeed(study, r, s)] = true
			}
		}
		if want := replicates * (1 + tunings); len(final) != want {
			t.Fatalf("study %d: %d different seeds, want %d", study, len(final), want)
		}
		searches := map[int64]bool{}
		for r := range tunings {
			seed := design.TuningSeed(study, r)
			if seed < 0 || searches[seed] || seed == study {
				t.Fatalf("study %d, tuning %d: seed %d", study, r, seed)
			}
			searches[seed] = true
			for n := range repetitions {
				if final[design.Seed(seed, n)] {
					t.Fatalf("study %d, tuning %d: its training %d has a seed of the comparison", study, r, n)
				}
			}
		}
	}
}

// A seed that the search for a free one must refuse: there, the plain choice would collide.
func TestTuningSeedsAvoidCollisions(t *testing.T) {
	refused := 0
	for study := range int64(60) {
		if !design.FirstChoice(study, 0) {
			refused++
		}
	}
	if refused == 0 || refused == 60 {
		t.Errorf("of 60 first choices %d were refused: the test shows nothing", refused)
	}
}
