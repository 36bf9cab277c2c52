package cudnn_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/cudnn"
)

// Times are of a clock that the candidates move on.
func TestFastest(t *testing.T) {
	failing := errors.New("not this shape")
	for _, c := range []struct {
		name   string
		times  [][]float64 // of each candidate: unmeasured first, then by round; nil fails
		rounds int
		want   int
	}{
		{"one", [][]float64{{1, 1}}, 1, 0},
		{"second", [][]float64{{1, 3}, {9, 2}}, 1, 1},
		{"hardly faster", [][]float64{{1, 1}, {1, 0.98}}, 1, 0},
		{"least counts", [][]float64{{1, 5, 2}, {1, 4, 4}}, 2, 0},
		{"first fails", [][]float64{nil, {1, 4}, {1, 3}}, 1, 2},
		{"no rounds is one", [][]float64{{1, 2}, {1, 1}}, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var clock float64
			var candidates []cudnn.Candidate
			for _, times := range c.times {
				next := 0
				candidates = append(candidates, cudnn.Candidate{Name: "way", Run: func() error {
					if times == nil {
						return failing
					}
					clock += times[next]
					next++
					return nil
				}})
			}
			got, err := cudnn.Fastest(candidates, c.rounds, func(run func() error) (float64, error) {
				before := clock
				err := run()
				return clock - before, err
			})
			if err != nil || got != c.want {
				t.Errorf("chose %d, %v, want %d", got, err, c.want)
			}
		})
	}
	broken := []cudnn.Candidate{{Name: "ours", Run: func() error { return failing }}}
	if got, err := cudnn.Fastest(broken, 1, nil); got != -1 || !errors.Is(err, failing) || !strings.Contains(err.Error(), "ours: ") {
		t.Errorf("where none works: %d, %v", got, err)
	}
	if got, err := cudnn.Fastest(nil, 1, nil); got != -1 || err == nil {
		t.Errorf("of none: %d, %v", got, err)
	}
	fails := 0
	late := []cudnn.Candidate{{Name: "late", Run: func() error { return nil }}, {Name: "good", Run: func() error { return nil }}}
	got, err := cudnn.Fastest(late, 3, func(func() error) (float64, error) {
		if fails++; fails == 3 { // the first candidate's second round
			return 0, failing
		}
		return float64(fails), nil
	})
	if got != 1 || err != nil {
		t.Errorf("one that fails later: %d, %v", got, err)
	}
}
