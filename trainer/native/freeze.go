package native

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// frozen lists the parameters of the first n layers. Layers of models that number them (model.3.conv.weight) are
// counted by number; in others a layer is all parameters with one first word (e2.u.weight), in order of computation.
func frozen(params []*graph.Param, n int) ([]*graph.Param, error) {
	if n == 0 {
		return nil, nil
	}
	var some []*graph.Param
	named := map[string]int{}
	for _, p := range params {
		word, rest, _ := strings.Cut(p.Name, ".")
		layer, seen := named[word]
		if !seen {
			layer = len(named)
			named[word] = layer
		}
		if number, _, ok := strings.Cut(rest, "."); ok && word == "model" {
			if k, err := strconv.Atoi(number); err == nil {
				layer = k
			}
		}
		if layer < n {
			some = append(some, p)
		}
	}
	if len(some) == len(params) {
		return nil, fmt.Errorf("freeze is %d: that leaves no layer of the model to train", n)
	}
	return some, nil
}
