package tpe

import (
	"math"
	"reflect"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// columns are the observations of one history: a row for each trial that has ended, in the order in which they first
// ended. They are extended once per entry of the log, and depend on the log alone. A trial that comes again
// keeps its row and gets new contents.
type columns struct {
	space  trials.Space
	goals  []trials.Goal
	dims   []dimension
	seen   int // entries of the log
	first  *trials.Trial
	last   *trials.Trial
	row    map[int]int    // by trial number
	places [][]float64    // by dimension and row; NaN: none
	ranks  []rank         // by row
	points map[uint64]int // how many rows are at a point
	best   ranking
	usable int // rows that count
	judged int // of those, the ones with a result
	front  []rank
	fresh  bool // front is up to date
}

func newColumns(h sweep.History) (*columns, error) {
	ds, err := dimensions(h.Space)
	if err != nil {
		return nil, err
	}
	return &columns{space: h.Space, goals: h.Objectives(), dims: ds, row: map[int]int{}, places: make([][]float64, len(ds)), points: map[uint64]int{}}, nil
}

// holds says whether c was made from a beginning of h.
func (c *columns) holds(h sweep.History) bool {
	return c != nil && sweep.Extends(h.Finished, c.seen, c.first, c.last) && sameSpace(c.space, h.Space) && reflect.DeepEqual(c.goals, h.Objectives())
}

// sameSpace compares; in the usual case by identity.
func sameSpace(a, b trials.Space) bool {
	if len(a) == len(b) && len(a) > 0 && &a[0] == &b[0] {
		return true
	}
	return reflect.DeepEqual(a, b)
}

// extend takes in the entries of the log that are new.
func (c *columns) extend(log []*trials.Trial) {
	for _, t := range log[c.seen:] {
		c.enter(t)
		c.fresh = false
	}
	if c.seen = len(log); c.seen > 0 {
		c.first, c.last = log[0], log[c.seen-1]
	}
}

func (c *columns) enter(t *trials.Trial) {
	r, known := c.row[t.Number]
	if known {
		c.forget(r)
	} else {
		r = len(c.ranks)
		c.row[t.Number] = r
		c.ranks = append(c.ranks, rank{})
		for d := range c.dims {
			c.places[d] = append(c.places[d], 0)
		}
	}
	c.ranks[r] = rankOf(c.goals, t)
	c.ranks[r].row = r
	varies := false
	for d, dim := range c.dims {
		x := dim.place(t)
		c.places[d][r] = x
		varies = varies || !math.IsNaN(x)
	}
	if !varies {
		c.ranks[r] = rank{tier: unusable, row: r}
	}
	c.count(c.ranks[r], 1)
}

// forget takes a row out of all that is counted.
func (c *columns) forget(r int) { c.count(c.ranks[r], -1) }

func (c *columns) count(k rank, by int) {
	if k.tier == unusable {
		return
	}
	c.usable += by
	point := c.point(k.row)
	if c.points[point] += by; c.points[point] == 0 {
		delete(c.points, point)
	}
	if k.tier == bad {
		return
	}
	c.judged += by
	if by > 0 {
		c.best.add(k)
	} else {
		c.best.remove(k)
	}
}

func (c *columns) point(row int) uint64 {
	h := newHash()
	for d := range c.places {
		h.add(c.places[d][row])
	}
	return uint64(h)
}

// hash is FNV-1a over the places of a point.
type hash uint64

func newHash() hash { return 14695981039346656037 }

func (h *hash) add(x float64) {
	bits := math.Float64bits(x)
	if math.IsNaN(x) {
		bits = 1
	}
	for range 8 {
		*h = (*h ^ hash(bits&0xff)) * 1099511628211
		bits >>= 8
	}
}

func hashOf(x []float64) uint64 {
	h := newHash()
	for _, v := range x {
		h.add(v)
	}
	return uint64(h)
}
