package native

import (
	"fmt"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// sound says which tensor of the file's detector cannot be computed with: it has a value that is not finite, or is a variance
// below 0.
func (f foreign) sound(a architecture, classes int) error {
	none := 0.0
	m, err := a.file.Resolve(spec.Options{Classes: classes, Weight: &none})
	if err != nil {
		return err
	}
	roles := map[string]spec.Role{}
	for _, t := range m.State() {
		if t.Taken() {
			roles[t.Name] = t.Role
		}
	}
	for _, t := range f.set.Tensors {
		role, ok := roles[t.Name]
		if !ok {
			continue
		}
		if k := slices.IndexFunc(t.Values, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) }); k >= 0 {
			return fmt.Errorf("its tensor %s has values that are not finite (%v at place %d)", t.Name, t.Values[k], k)
		}
		if k := slices.IndexFunc(t.Values, func(v float32) bool { return v < 0 }); k >= 0 && role == spec.Var {
			return fmt.Errorf("its tensor %s has variances below 0 (%v at place %d)", t.Name, t.Values[k], k)
		}
	}
	return nil
}
