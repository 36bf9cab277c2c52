package loss

import (
	"sync"
	"sync/atomic"

	"github.com/mapsweep/mapsweep/trainer/native/assign"
)

// room is what one goroutine needs to work in.
type room struct {
	assigner assign.Assigner
	objects  []assign.Object
	inside   []bool    // A
	boxes    []float32 // A*4
	scores   []float32 // A*K
	prob     []float64 // R
	sides    []float64 // 4*R
}

// job is work in independent pieces. What they write must not depend on who does which; sums over them come afterwards, in
// order.
type job interface{ do(r *room, piece int) }

// each does the pieces 0 to n-1 of a job on l.Threads goroutines, the calling one among them.
func (l *Loss) each(n int, j job) {
	others := min(l.Threads, n) - 1
	if others < 1 {
		for i := range n {
			j.do(&l.rooms[0], i)
		}
		return
	}
	var next atomic.Int64
	work := func(r *room) {
		for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
			j.do(r, int(i))
		}
	}
	var wg sync.WaitGroup
	for i := range others {
		wg.Go(func() { work(&l.rooms[i+1]) })
	}
	work(&l.rooms[0])
	wg.Wait()
}

// grow makes room for heads of a shape.
func (l *Loss) grow(h Heads) {
	if n := max(1, l.Threads); len(l.rooms) != n {
		l.rooms = make([]room, n)
	}
	for i := range l.rooms {
		l.rooms[i].grow(h)
	}
	if len(l.targets.Truth) != h.N*h.A {
		l.targets.Truth, l.targets.Score = make([]int32, h.N*h.A), make([]float32, h.N*h.A)
	}
	if len(l.assigning.sums) != h.N {
		l.assigning.sums, l.assigning.first = make([]float64, h.N), make([]int, h.N+1)
	}
	if n := min(len(h.Class), termsEach*len(l.rooms)); len(l.classing.terms) != n {
		l.classing.terms = make([]float64, n)
	}
}

func (r *room) grow(h Heads) {
	if len(r.scores) == h.A*h.K && len(r.inside) == h.A && len(r.prob) == h.R {
		return
	}
	r.scores = make([]float32, h.A*h.K)
	r.inside, r.boxes = make([]bool, h.A), make([]float32, 4*h.A)
	r.prob, r.sides = make([]float64, h.R), make([]float64, 4*h.R)
}
