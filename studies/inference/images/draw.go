package images

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

// run is one training's matches, and its scores.
type run struct {
	walk  *evaluate.Walk
	full  float64   // on all pictures
	drawn []float64 // on the pictures of each draw; NaN where no object of the metric was drawn, or no one asks
	asked []bool    // of each draw: the score is needed
}

// sheet holds every run's scores on the same draws of pictures.
type sheet struct {
	images []int          // that are scored
	runs   []map[int]*run // by arm and replicate
}

// newSheet scores all runs on o.Draws draws of pictures. All runs are of the same pictures.
func newSheet(ctx context.Context, arms []Arm, o Options) (*sheet, error) {
	var one *evaluate.Matches
	var all []*run
	s := &sheet{}
	for _, a := range arms {
		rs := map[int]*run{}
		for rep, m := range a.Runs {
			one = m
			rs[rep] = &run{walk: m.NewWalk(o.Target), drawn: make([]float64, o.Draws), asked: make([]bool, o.Draws)}
			all = append(all, rs[rep])
		}
		s.runs = append(s.runs, rs)
	}
	for i, rs := range s.runs {
		ask(o, rs)
		if i > 0 {
			ask(o, rs, s.runs[0])
		}
	}
	for i := range one.Images {
		if o.Images == nil || i < len(o.Images) && o.Images[i] {
			s.images = append(s.images, i)
		}
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(o.Workers, o.Draws/block+1) {
		wait.Go(func() {
			b := s.newBatch(one, o)
			for ctx.Err() == nil {
				first := int(next.Add(block)) - block - 1 // -1 is the validation as it is
				if first >= o.Draws {
					return
				}
				b.score(all, first, min(first+block, o.Draws))
			}
		})
	}
	wait.Wait()
	return s, context.Cause(ctx)
}

// block is how many draws are scored together.
const block = 8

// batch is the scratch of a goroutine.
type batch struct {
	s      *sheet
	seed   uint64
	counts []int
	draws  []*evaluate.Draw
	ap     [block]float64
	which  [block]int // draws that a run is asked for
	some   [block]*evaluate.Draw
}

func (s *sheet) newBatch(m *evaluate.Matches, o Options) *batch {
	b := &batch{s: s, seed: o.Seed, counts: make([]int, m.Images)}
	for range block {
		b.draws = append(b.draws, m.NewDraw(o.Target))
	}
	return b
}

// score scores every run on the draws from first on, up to but not including end.
func (b *batch) score(all []*run, first, end int) {
	ds := b.draws[:end-first]
	for i, d := range ds {
		b.s.draw(b.counts, b.seed, first+i)
		d.Set(b.counts)
	}
	for _, r := range all {
		which, some := b.which[:0], b.some[:0]
		for i, d := range ds {
			if first+i < 0 || r.asked[first+i] {
				which, some = append(which, first+i), append(some, d)
			}
		}
		r.walk.APs(some, b.ap[:])
		for i, n := range which {
			r.set(n, b.ap[i])
		}
	}
}

func (r *run) set(b int, ap float64) {
	if ap == evaluate.Undefined {
		ap = math.NaN()
	}
	if b < 0 {
		r.full = ap
		return
	}
	r.drawn[b] = ap
}

// whole is how many draws, from the first, are scored for all seeds, for the part of the pictures in the variance: 500
// tell a standard deviation to 3 %. The others are scored for the seeds that are drawn with them.
func (o Options) whole() int { return min(o.Draws, max(500, o.Draws/4)) }

// ask marks the scores that an estimate of an arm, or of its difference from another, needs.
func ask(o Options, arms ...map[int]*run) {
	reps := common(arms...)
	counts := make([]int, len(reps))
	for b := range o.Draws {
		seeds(counts, o.Seed, b)
		for i, rep := range reps {
			if counts[i] > 0 || b < o.whole() {
				for _, a := range arms {
					a[rep].asked[b] = true
				}
			}
		}
	}
}

// draw counts how often each picture is in draw b; -1: once. It depends on seed and b alone.
func (s *sheet) draw(counts []int, seed uint64, b int) {
	clear(counts)
	if b < 0 {
		for _, i := range s.images {
			counts[i] = 1
		}
		return
	}
	r := rand.New(rand.NewPCG(seed, uint64(b)<<1))
	for range s.images {
		counts[s.images[r.IntN(len(s.images))]]++
	}
}

// seeds draws n of n seeds for draw b, and returns how often each is in.
func seeds(counts []int, seed uint64, b int) {
	clear(counts)
	r := rand.New(rand.NewPCG(seed, uint64(b)<<1|1))
	for range counts {
		counts[r.IntN(len(counts))]++
	}
}

// workers is how many goroutines there are if nobody says.
func workers(n int) int {
	if n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

// table is a quantity of each seed, on all pictures and on each draw.
type table struct {
	full  []float64   // by seed
	drawn [][]float64 // by seed and draw
}

// add appends the scores of a seed, less those of the reference if there is one.
func (t *table) add(r, reference *run) {
	if reference == nil {
		t.full, t.drawn = append(t.full, r.full), append(t.drawn, r.drawn)
		return
	}
	d := make([]float64, len(r.drawn))
	for b := range d {
		d[b] = r.drawn[b] - reference.drawn[b]
	}
	t.full, t.drawn = append(t.full, r.full-reference.full), append(t.drawn, d)
}

// common lists the replicates that all have.
func common(arms ...map[int]*run) []int {
	var reps []int
	for rep := range arms[0] {
		if !slices.ContainsFunc(arms, func(a map[int]*run) bool { return a[rep] == nil }) {
			reps = append(reps, rep)
		}
	}
	slices.Sort(reps)
	return reps
}
