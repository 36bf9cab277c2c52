package kernel

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Ring hands inputs to steps and results back, so that the host may be some steps ahead of the GPU: a ring of slots in pinned
// memory, which the first and the last kernel of a step read and write. One goroutine at a time.
type Ring struct {
	memory  *cuda.Pinned
	slots   int
	inputs  []StepInput
	results []StepResult
	passed  []*cuda.Event // one a slot: the step that was last put there has ended

	begun, read uint64 // steps that were submitted, and of which the results were read
	early       []StepResult
}

// NewRing makes a ring in which so many steps may be under way.
func NewRing(g *cuda.GPU, slots int) (*Ring, error) {
	const in, out = int(unsafe.Sizeof(StepInput{})), int(unsafe.Sizeof(StepResult{}))
	memory, err := g.NewPinned(slots * (in + out))
	if err != nil {
		return nil, err
	}
	r := &Ring{memory: memory, slots: slots}
	start := unsafe.Pointer(unsafe.SliceData(memory.Bytes))
	r.inputs = unsafe.Slice((*StepInput)(start), slots)
	r.results = unsafe.Slice((*StepResult)(unsafe.Add(start, slots*in)), slots)
	for range slots {
		e, err := g.NewEvent(false)
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		r.passed = append(r.passed, e)
	}
	return r, nil
}

// Reset has the ring begin anew, with a state of zeros. No step may be under way; results that were not returned are forgotten.
func (r *Ring) Reset() error {
	if r.begun > r.read {
		for _, e := range r.passed {
			if done, err := e.Done(); err != nil || !done {
				return errors.Join(err, errors.New("the ring begins anew while steps are under way"))
			}
		}
	}
	r.begun, r.read, r.early = 0, 0, nil
	return nil
}

// Step is what the kernels must know of the ring. state begins as zeros with the ring.
func (r *Ring) Step(state cuda.Ptr, losses ...Doubles) Step {
	in := int64(unsafe.Sizeof(StepInput{}))
	return Step{State: state, Inputs: r.memory.Ptr, Results: r.memory.Ptr.Add(int64(r.slots) * in), Slots: r.slots, Losses: losses}
}

// Submit gives a step its input. launch puts the step into the stream, from Step.Begin to Step.End. Where all slots are under
// way, Submit waits for the oldest.
func (r *Ring) Submit(s *cuda.Stream, in StepInput, launch func() error) error {
	if r.begun-r.read == uint64(r.slots) {
		done, err := r.take()
		if err != nil {
			return err
		}
		r.early = append(r.early, done)
	}
	slot := r.begun % uint64(r.slots)
	in.number = r.begun
	r.inputs[slot] = in
	if err := launch(); err != nil {
		return err
	}
	r.begun++
	return r.passed[slot].Record(s)
}

// take waits for the oldest step and reads its result.
func (r *Ring) take() (StepResult, error) {
	slot := r.read % uint64(r.slots)
	if err := r.passed[slot].Wait(); err != nil {
		return StepResult{}, err
	}
	done := r.results[slot]
	if done.Number != r.read {
		return done, fmt.Errorf("step %d of the ring reports as %d: inputs and launches do not match", r.read, done.Number)
	}
	r.read++
	return done, nil
}

// Results are those of steps that have ended since the last call, in order. It does not wait.
func (r *Ring) Results() ([]StepResult, error) {
	for r.read < r.begun {
		done, err := r.passed[r.read%uint64(r.slots)].Done()
		if err != nil {
			return nil, err
		}
		if !done {
			break
		}
		result, err := r.take()
		if err != nil {
			return nil, err
		}
		r.early = append(r.early, result)
	}
	all := r.early
	r.early = nil
	return all, nil
}

// Drain waits for all steps and returns the results that were not returned yet, in order.
func (r *Ring) Drain() ([]StepResult, error) {
	for r.read < r.begun {
		result, err := r.take()
		if err != nil {
			return nil, err
		}
		r.early = append(r.early, result)
	}
	return r.Results()
}

// Close frees the ring. No step may be under way.
func (r *Ring) Close() error {
	var errs []error
	for _, e := range r.passed {
		errs = append(errs, e.Close())
	}
	r.passed = nil
	return errors.Join(append(errs, r.memory.Close())...)
}
