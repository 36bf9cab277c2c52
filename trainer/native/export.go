package native

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
	"github.com/mapsweep/mapsweep/trainer/native/weights"
)

// Export returns the tensors of a checkpoint, or of the best one in a trial's directory, else its last, under PyTorch's
// names: the moving average of the weights where training kept one. What PyTorch's state has beside what is learned is
// there too, the numbers of the bins in each head and the batches that the running statistics have seen, so that the
// state loads strictly into a network of the same layers. An auxiliary branch is there if it was trained. gelan-n has
// names of its own. The words about the whole name model, classes (a JSON list), image size and epoch.
func Export(path string) (*weights.Set, error) {
	path, err := checkpointAt(path)
	if err != nil {
		return nil, err
	}
	h, part, named, err := readScored(path)
	if err != nil {
		return nil, err
	}
	s, err := export(h, part, named)
	if err != nil {
		return nil, fmt.Errorf("export checkpoint %s: %w", path, err)
	}
	return s, nil
}

func export(h header, part string, named map[string][]float32) (*weights.Set, error) {
	file, err := h.architecture()
	if err != nil {
		return nil, err
	}
	none := 0.0
	m, err := file.Resolve(spec.Options{Classes: len(h.Classes)})
	if err == nil && m.Head.Dual && !holds(named, m) { // trained without its auxiliary branch
		m, err = file.Resolve(spec.Options{Classes: len(h.Classes), Weight: &none})
	}
	if err != nil {
		return nil, err
	}
	classes, err := json.Marshal(h.Classes)
	if err != nil {
		return nil, err
	}
	s := &weights.Set{Meta: map[string]string{"format": "pt", "model": h.Model, "classes": string(classes),
		"image_size": strconv.Itoa(h.Size), "epoch": strconv.Itoa(h.Epoch), "part": part}}
	for _, t := range m.Cost(m.Multiple(), m.Multiple()).Tensors {
		out := weights.Tensor{Name: t.Name, Type: weights.Float32, Shape: t.Shape}
		switch v, ok := named[t.Name]; {
		case ok:
			out.Values = v
		case t.Role == spec.Batches:
			out.Type, out.Ints = weights.Int64, []int64{int64(h.Step)}
		case t.Role == spec.Fixed:
			for k := range t.Elements() {
				out.Values = append(out.Values, float32(k))
			}
		default:
			return nil, fmt.Errorf("it has no %s of %s: %w", part, t.Name, errNotCheckpoint)
		}
		s.Tensors = append(s.Tensors, out)
	}
	return s, nil
}

// holds says whether a checkpoint has all that a model learns.
func holds(named map[string][]float32, m *spec.Model) bool {
	for _, t := range m.Cost(m.Multiple(), m.Multiple()).Tensors {
		if _, ok := named[t.Name]; !ok && t.Learned() {
			return false
		}
	}
	return true
}
