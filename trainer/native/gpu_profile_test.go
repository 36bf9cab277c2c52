//go:build peers

package native_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trainer/native"
)

// profile says where the time of a step goes. step is the time of the captured one in seconds.
func profile(launches []native.Timed, step, flop float64) string {
	type sum struct {
		name    string
		n       int
		seconds float64
	}
	var b strings.Builder
	sums := make([]sum, len(families)+1)
	kernels := map[string]*sum{}
	total := 0.0
	for _, l := range launches {
		i := family(l.Kernel)
		if i < 0 {
			i = len(families)
		}
		k := kernels[l.Kernel]
		if k == nil {
			k = &sum{name: l.Kernel}
			kernels[l.Kernel] = k
		}
		for _, s := range []*sum{&sums[i], k} {
			s.n++
			s.seconds += l.Seconds
		}
		total += l.Seconds
	}
	line := func(name string, n int, seconds float64, more string) {
		fmt.Fprintf(&b, "  %-36s %5d launches %9.1f us %5.1f %%  %s\n", name, n, 1e6*seconds, 100*seconds/step, more)
	}
	for i, s := range sums {
		if s.n == 0 {
			continue
		}
		name, more := "others", ""
		if i < len(families) {
			name = families[i].name
			if families[i].third && s.seconds > 0 {
				more = fmt.Sprintf("%.1f TFLOP/s", flop/3/s.seconds/1e12)
			}
		}
		line(name, s.n, s.seconds, more)
	}
	line("all kernels, one by one", len(launches), total, "")
	fmt.Fprintf(&b, "  %-36s %14s %9.1f us %5.1f %%  between kernels; below 0: they are faster in the graph\n", "captured step less kernels", "", 1e6*(step-total), 100*(step-total)/step)
	list := make([]*sum, 0, len(kernels))
	for _, k := range kernels {
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b *sum) int { return cmp.Or(cmp.Compare(b.seconds, a.seconds), strings.Compare(a.name, b.name)) })
	b.WriteString("  most of the time:\n")
	for _, k := range list[:min(12, len(list))] {
		line(k.name, k.n, k.seconds, "")
	}
	return b.String()
}

// augmentation is what of a step's launches makes pictures of recipes.
func augmentation(launches []native.Timed) (n int, seconds float64) {
	for _, l := range launches {
		if strings.HasPrefix(l.Kernel, "augment") {
			n++
			seconds += l.Seconds
		}
	}
	return n, seconds
}
