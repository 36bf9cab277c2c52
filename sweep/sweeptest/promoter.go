package sweeptest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// promoters are the checks of a pruner that lets trials go on.
type promoters struct {
	pruners
	sweep.Promoter
}

func (s promoters) test(t *testing.T) {
	t.Run("nothing to promote", s.none)
	t.Run("plays whole searches", s.races)
	t.Run("promotes nothing but pruned trials of any history", s.anyPromotion)
	t.Run("promotes no trial twice", s.once)
}

func (s promoters) none(t *testing.T) {
	h := Empty(s.field().Space, s.d)
	for _, h := range []sweep.History{h, s.field(), Add(h, Trial(0, trials.Suggestion{}))} {
		if n, ok, err := s.Promote(h); ok || err != nil {
			t.Errorf("of %d trials that were not pruned it promotes %d (%v)", len(h.All()), n, err)
		}
	}
}

// races: slow starters are found, no epoch is trained twice, the best point is trained to its end, and it is cheaper.
func (s promoters) races(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		const points, epochs = 40, 16
		r := Race{Pruner: s.pruners.Pruner, Direction: s.d, Epochs: epochs, Workers: workers, Points: points, Order: rand.New(rand.NewPCG(1, uint64(workers))),
			Value: func(p, e int) float64 {
				return s.value((0.4 + 0.005*float64(p*17%points)) * (1 - math.Exp(-float64(e)/4)))
			}}
		r.Run(t)
		promoted := 0
		for p, links := range r.Links {
			promoted += len(links) - 1
			for e := 1; e <= epochs; e++ {
				if n := r.Most[[2]int{p, e}]; n > 1 {
					t.Errorf("%d workers: epoch %d of point %d was trained %d times", workers, e, p, n)
				}
			}
			if p*17%points == points-1 && r.Most[[2]int{p, epochs}] != 1 {
				t.Errorf("%d workers: the best point was not trained to its end, but in trials %v", workers, links)
			}
		}
		if promoted == 0 {
			t.Errorf("%d workers: nothing was promoted in %d points", workers, points)
		}
		if r.Trained > points*epochs*3/4 {
			t.Errorf("%d workers: %d epochs of %d were trained", workers, r.Trained, points*epochs)
		}
		if n, ok, err := s.Promote(r.History); ok || err != nil {
			t.Errorf("%d workers: after the end it promotes %d (%v)", workers, n, err)
		}
	}
}

func (s promoters) anyPromotion(t *testing.T) {
	h := AnyHistory(Everything(), s.d)
	before := fmt.Sprint(h)
	n, ok, err := s.Promote(h)
	if err != nil {
		t.Fatal(err)
	}
	if ok && h.All()[n].State != trials.Pruned {
		t.Errorf("promoted trial %d, which is %s", n, h.All()[n].State)
	}
	if fmt.Sprint(h) != before {
		t.Error("Promote changed the history")
	}
	if n2, ok2, err := s.Promote(h); n2 != n || ok2 != ok || err != nil {
		t.Errorf("promoted %d (%v), asked again %d (%v)", n, ok, n2, ok2)
	}
}

// once: a trial that another one continues is not named again, even if the process was killed before it noted that on it.
func (s promoters) once(t *testing.T) {
	const epochs = 16
	r := Race{Pruner: s.pruners.Pruner, Direction: s.d, Epochs: epochs, Workers: 1, Points: 20,
		Value: func(p, e int) float64 { return s.value(float64(p+1) * (1 - math.Exp(-float64(e)/4))) }}
	r.Run(t)
	h := r.History
	h.Finished, h.Open = nil, nil
	for _, tr := range r.History.Finished {
		c := tr.Clone()
		delete(c.Attrs, trials.AttrContinued)
		h = Add(h, c)
	}
	if n, ok, err := s.Promote(h); ok || err != nil {
		t.Errorf("promoted %d (%v), which is continued or was not among the best before", n, err)
	}
}
