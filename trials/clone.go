package trials

import (
	"encoding/json"
	"maps"
	"slices"
)

// Clone copies s with its choices and requirements.
func (s Space) Clone() Space {
	c := slices.Clone(s)
	for i := range c {
		c[i].Choices = slices.Clone(c[i].Choices)
		c[i].Requires = maps.Clone(c[i].Requires)
	}
	return c
}

// CloneAttrs copies attributes; the result is never nil.
func CloneAttrs(attrs map[string]json.RawMessage) map[string]json.RawMessage {
	c := make(map[string]json.RawMessage, len(attrs))
	for k, v := range attrs {
		c[k] = slices.Clone(v)
	}
	return c
}

// Clone copies m with its metrics; the copy's metrics are never nil.
func (m Measurement) Clone() Measurement {
	c := make(map[string]float64, len(m.Metrics))
	maps.Copy(c, m.Metrics)
	m.Metrics = c
	return m
}

// Clone copies t so deeply that no change of the copy shows in t.
func (t Trial) Clone() Trial {
	t.Space = t.Space.Clone()
	t.Params = t.Params.Clone()
	t.Values = slices.Clone(t.Values)
	t.Measurements = slices.Clone(t.Measurements)
	for i, m := range t.Measurements {
		t.Measurements[i] = m.Clone()
	}
	t.Attrs = CloneAttrs(t.Attrs)
	t.Attempts = slices.Clone(t.Attempts)
	t.Constraints = slices.Clone(t.Constraints)
	return t
}

// Clone copies s so deeply that no change of the copy shows in s.
func (s Study) Clone() Study {
	s.Directions = slices.Clone(s.Directions)
	s.Metrics = slices.Clone(s.Metrics)
	s.File = slices.Clone(s.File)
	s.Resolved = slices.Clone(s.Resolved)
	s.Attrs = CloneAttrs(s.Attrs)
	s.Provenance.Devices = slices.Clone(s.Provenance.Devices)
	s.Provenance.Data = slices.Clone(s.Provenance.Data)
	for i, d := range s.Provenance.Data {
		s.Provenance.Data[i].Classes = slices.Clone(d.Classes)
		s.Provenance.Data[i].Notes = slices.Clone(d.Notes)
	}
	s.Provenance.Extra = maps.Clone(s.Provenance.Extra)
	return s
}
