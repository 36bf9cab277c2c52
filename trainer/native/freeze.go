package native

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// frozen lists the parameters of the first n layers; layerNumbers says which is which.
func frozen(params []*graph.Param, n int) ([]*graph.Param, error) {
	if n == 0 {
		return nil, nil
	}
	var some []*graph.Param
	var layer layerNumbers
	for _, p := range params {
		if layer.of(p.Name) < n {
			some = append(some, p)
		}
	}
	if len(some) == len(params) {
		return nil, frozenWhole(n)
	}
	return some, nil
}

func frozenWhole(n int) error {
	return fmt.Errorf("freeze is %d: that leaves no layer of the model to train", n)
}

// layerNumbers numbers the layers of a model by the names of its parameters, in order of computation. Those that are numbered
// (model.3.conv.weight) have that number; in other models a layer is all parameters with one first word (e2.u.weight).
type layerNumbers struct{ named map[string]int }

func (l *layerNumbers) of(name string) int {
	if l.named == nil {
		l.named = map[string]int{}
	}
	word, rest, _ := strings.Cut(name, ".")
	layer, seen := l.named[word]
	if !seen {
		layer = len(l.named)
		l.named[word] = layer
	}
	if number, _, ok := strings.Cut(rest, "."); ok && word == "model" {
		if k, err := strconv.Atoi(number); err == nil {
			layer = k
		}
	}
	return layer
}
