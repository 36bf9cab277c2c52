package native

import (
	"errors"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// stage is pinned memory from which input is copied to a device: a piece for each use that may be under way, in turn.
type stage struct {
	pinned []*cuda.Pinned
	next   int
}

// newStage makes pieces of so many bytes for so many uses.
func newStage(g *cuda.GPU, uses int, bytes int64) (*stage, error) {
	s := &stage{}
	for range uses {
		p, err := g.NewPinned(int(bytes))
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.pinned = append(s.pinned, p)
	}
	return s, nil
}

// turn is the piece of the next use, which may be written.
func (s *stage) turn() []byte {
	piece := s.pinned[s.next].Bytes
	s.next = (s.next + 1) % len(s.pinned)
	return piece
}

// put puts a copy of from into the stream, which may be used again when it returns.
func (s *stage) put(st *cuda.Stream, to cuda.Ptr, from []byte) error {
	piece := s.turn()
	return st.CopyIn(to, piece[:copy(piece, from)])
}

// close frees the memory; no use may be under way. A nil stage closes.
func (s *stage) close() error {
	if s == nil {
		return nil
	}
	var errs []error
	for _, p := range s.pinned {
		errs = append(errs, p.Close())
	}
	s.pinned = nil
	return errors.Join(errs...)
}
