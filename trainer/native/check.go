package native

import (
	"errors"

	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
	"github.com/mapsweep/mapsweep/trials"
)

// CheckParams refuses what no trial could run, before anything starts; see trainer.Checker. Names, types and ranges are
// looked at elsewhere.
func (b *Backend) CheckParams(baseline trials.Params, levels map[string][]any) error {
	var faults []error
	seen := map[string]bool{}
	try := func(p trials.Params) {
		if err := b.model.possible(p); err != nil && !seen[err.Error()] {
			seen[err.Error()] = true
			faults = append(faults, err)
		}
	}
	try(baseline)
	for name, values := range levels {
		for _, v := range values {
			try(baseline.With(trials.Params{name: v}))
		}
	}
	return errors.Join(faults...)
}

// possible says why no trial could run with these parameters, or nil.
func (d architecture) possible(p trials.Params) error {
	known := map[string]knob{}
	for _, k := range d.knobs() {
		known[k.Name] = k
	}
	for name, v := range p {
		if k, ok := known[name]; !ok || k.accept(v) != nil {
			return nil
		}
	}
	s, _, err := d.resolve(p)
	if err != nil {
		return errors.Unwrap(err) // without its class
	}
	weight := s.aux
	m, err := d.file.Resolve(spec.Options{Classes: 1, Weight: &weight})
	if err != nil {
		return err
	}
	var layer layerNumbers
	last := 0
	for _, t := range m.Cost(m.Multiple(), m.Multiple()).Tensors {
		if t.Learned() {
			last = max(last, layer.of(t.Name))
		}
	}
	if s.freeze > last {
		return frozenWhole(s.freeze)
	}
	return nil
}
