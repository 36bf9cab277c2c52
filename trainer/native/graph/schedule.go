package graph

import (
	"errors"
	"fmt"
)

// Schedule is a network that only goes forward: what it computes in order, and how long each buffer is needed.
type Schedule struct {
	Steps   []Op
	Params  []*Param
	Buffers []Buffer
}

// Buffer is the storage of one owner. It is written first by step First, -1 for an input of the network, and read last
// by step Last; a result's is needed to the end, len(Steps). Between the two nothing else may lie there.
type Buffer struct {
	Owner       *Tensor
	First, Last int
}

// Schedule plans the storage of the operations that the results depend on, without gradients and without a loss;
// operations that none depends on are left out.
func (b *Builder) Schedule(results ...*Tensor) (*Schedule, error) {
	if b.err != nil {
		return nil, fmt.Errorf("define network: %w", b.err)
	}
	seen := map[Op]bool{}
	if !reaching(results, seen) {
		return nil, errors.New("define network: the results depend on no layer")
	}
	s := &Schedule{}
	plan := &Planner{Copies: b.copies}
	for _, op := range b.ops {
		if !seen[op] {
			continue
		}
		if p, ok := op.(Placer); ok {
			p.Place(plan)
		}
		s.Steps = append(s.Steps, op)
		s.Params = append(s.Params, op.Params()...)
	}
	s.live(results)
	return s, nil
}

// live finds out how long the buffers are needed, in the order in which they are first.
func (s *Schedule) live(results []*Tensor) {
	at := map[*Tensor]int{} // owner: its place in Buffers
	use := func(t *Tensor, step int) {
		owner, _ := t.Data()
		i, ok := at[owner]
		if !ok {
			i = len(s.Buffers)
			at[owner] = i
			s.Buffers = append(s.Buffers, Buffer{Owner: owner, First: step})
		}
		s.Buffers[i].Last = step
	}
	for step, op := range s.Steps {
		for _, t := range op.Inputs() {
			if t.producer == nil {
				if _, ok := at[t]; !ok {
					use(t, -1)
				}
			}
			use(t, step)
		}
		if out := op.Output(); out != nil {
			use(out, step)
		}
	}
	for _, t := range results {
		use(t, len(s.Steps))
	}
}
