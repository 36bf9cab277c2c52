package native

import (
	"errors"
	"slices"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Timed is a launch with its time.
type Timed struct {
	cuda.Launch
	Seconds float64
}

// chunk is how many launches are timed behind one wait of the GPU. A stream takes about a thousand entries ahead.
const chunk = 100

// Profile times the launches of a step one by one, with events between them. So that the GPU never waits for the host, the
// launches are put into the stream while it is filling memory. The time of two events with nothing between is taken off.
func (s *Stepper) Profile() (all []Timed, err error) {
	e := s.e.(*gpuEngine)
	launches, err := e.launches(e.sides[s.Size])
	if err != nil {
		return nil, err
	}
	const room, fills = 256 << 20, 40 // 40 x 256 MiB: 2 to 5 ms
	bytes, times := int64(room), fills
	if free, _, err := e.place.GPU.Memory(); err == nil && free < 4*room {
		bytes, times = 1<<20, 1
	}
	memory, err := e.place.GPU.Alloc(bytes)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.place.GPU.Free(memory)) }()
	p := profiler{e: e, memory: memory, bytes: bytes, times: times}
	defer func() { err = errors.Join(err, p.close()) }()
	idle, err := p.time(make([]cuda.Launch, 20))
	if err != nil {
		return nil, err
	}
	nothing := slices.MinFunc(idle, func(a, b Timed) int { return int(1e12 * (a.Seconds - b.Seconds)) }).Seconds
	err = s.with(func() error {
		for part := range slices.Chunk(launches, chunk) {
			timed, err := p.time(part)
			if err != nil {
				return err
			}
			for _, t := range timed {
				t.Seconds = max(0, t.Seconds-nothing)
				all = append(all, t)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	_, err = s.Wait()
	return all, err
}

type profiler struct {
	e      *gpuEngine
	memory cuda.Ptr
	bytes  int64
	times  int
	events []*cuda.Event
}

// time times launches; one without a kernel is nothing at all.
func (p *profiler) time(launches []cuda.Launch) ([]Timed, error) {
	place := p.e.place
	for len(p.events) <= len(launches) {
		event, err := place.GPU.NewEvent(true)
		if err != nil {
			return nil, err
		}
		p.events = append(p.events, event)
	}
	for range p.times {
		if err := place.Stream.Fill(p.memory, 1, p.bytes); err != nil {
			return nil, err
		}
	}
	if err := p.events[0].Record(place.Stream); err != nil {
		return nil, err
	}
	for i, l := range launches {
		if l.Kernel != "" {
			if err := place.Module.Run(place.Stream, l); err != nil {
				return nil, err
			}
		}
		if err := p.events[i+1].Record(place.Stream); err != nil {
			return nil, err
		}
	}
	if err := place.Stream.Wait(); err != nil {
		return nil, err
	}
	all := make([]Timed, len(launches))
	for i, l := range launches {
		seconds, err := cuda.Seconds(p.events[i], p.events[i+1])
		if err != nil {
			return nil, err
		}
		all[i] = Timed{l, seconds}
	}
	return all, nil
}

func (p *profiler) close() error {
	var errs []error
	for _, e := range p.events {
		errs = append(errs, e.Close())
	}
	return errors.Join(errs...)
}
