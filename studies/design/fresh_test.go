package design_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/studies/design"
)

func TestFresh(t *testing.T) {
	for study := range int64(50) {
		first := design.Fresh(study, nil)
		taken := map[int64]bool{}
		for n := range 10000 {
			taken[design.Seed(study, n)] = true
		}
		for n := range 1000 {
			if taken[design.Seed(first, n)] {
				t.Fatalf("study %d: replicate %d of %d repeats a seed", study, n, first)
			}
		}
		// A seed of its own that was used, by a trial enqueued by hand say, moves it on.
		second := design.Fresh(study, map[int64]bool{design.Seed(first, 7): true})
		if second == first || first < 0 || second < 0 || design.Fresh(study, nil) != first {
			t.Errorf("study %d: %d, then %d", study, first, second)
		}
	}
}
