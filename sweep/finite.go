package sweep

import (
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// Finite is an optional interface of samplers that come to an end (ErrExhausted), as a grid does.
type Finite interface {
	// Left is how many further points there are after a history, counted up to most.
	Left(h History, most int) (int, error)
}

// SearchPoints is how many points a new search has in all: those that it asks for, or fewer if its sampler ends before.
func SearchPoints(spec studies.Spec, s Sampler) (int, error) {
	n := spec.Search.Trials
	f, ok := s.(Finite)
	if !ok {
		return n, nil
	}
	d, err := newDriver(trials.Study{}, DriverConfig{Spec: spec, Sampler: s})
	if err != nil {
		return 0, err
	}
	var v view
	for i, t := range d.tries {
		v.bare = append(v.bare, &trials.Trial{Number: i, State: trials.Waiting, Space: t.Space, Params: t.Params})
	}
	left, err := f.Left(d.history(v), n)
	return min(n, len(d.tries)+left), err
}
