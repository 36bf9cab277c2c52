package spec

import "strings"

// folded says whether a file is that of a model in the form for use: each tensor of the detector is there, or belongs to a
// convolution that has a bias in the place of its batch normalisation.
func (s Shapes) folded(state []Tensor) bool {
	weights, found := map[string][]int{}, false // shapes of convolutions' weights
	for _, t := range state {
		if name, ok := strings.CutSuffix(t.Name, ".conv.weight"); ok {
			weights[name] = t.Shape
		}
	}
	for _, t := range state {
		if !t.Taken() || t.TrainingOnly || s.has(t) {
			continue
		}
		name, _, _ := strings.Cut(strings.Replace(t.Name, ".bn.", ".conv.", 1), ".conv.")
		if weights[name] == nil || !s.biased(name, weights[name]) && !s.melted(name, weights) {
			return false
		}
		found = true
	}
	return found
}

// biased says whether a convolution with weights of a shape has a bias and no batch normalisation.
func (s Shapes) biased(name string, shape []int) bool {
	_, normalised := s[name+".bn.weight"]
	return !normalised && s.has(Tensor{Name: name + ".conv.weight", Shape: shape}) && s.has(Tensor{Name: name + ".conv.bias", Shape: shape[:1]})
}

// melted says so of the one convolution that the two of a RepConv have become, of the shape of the first.
func (s Shapes) melted(name string, weights map[string][]int) bool {
	rep := name[:strings.LastIndex(name, ".")+1]
	if name != rep+"conv1" && name != rep+"conv2" {
		return false
	}
	shape := weights[rep+"conv1"]
	return shape != nil && s.biased(strings.TrimSuffix(rep, "."), shape)
}
