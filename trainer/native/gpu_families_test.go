package native_test

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native"
)

// families are groups of kernels by what a step does in them. The first that fits is a kernel's.
var families = []struct {
	name    string
	kernels *regexp.Regexp
	third   bool // a third of the multiply-adds of a step's convolutions
}{
	{"convolutions, gradients of weights", regexp.MustCompile(`^conv16_(direct_|image_)?weights_|^conv32_weight_|^conv32_bias_|^conv16_add$|^sum_slices$`), true},
	{"convolutions, gradients of inputs", regexp.MustCompile(`^conv(16|32)_(direct_)?back_`), true},
	{"convolutions, forward", regexp.MustCompile(`^conv(16|32)_`), true},
	{"normalisation, backward", regexp.MustCompile(`^(norm|rep)_(grad|learned)`), false},
	{"normalisation, forward", regexp.MustCompile(`^(norm|rep)_`), false},
	{"pools, resizing, sums, copies", regexp.MustCompile(`^(pool|mean2x2|resize|regroup|add|zero|copy)_`), false},
	{"heads and loss", regexp.MustCompile(`^(head|assign|loss)_`), false},
	{"optimiser and average", regexp.MustCompile(`^(sum_squares|sum_total|step_(norm|sgd|adam|lion)|round_bf16)$`), false},
	{"pictures, input, result", regexp.MustCompile(`^(pack_images|augment)_|^step_(begin|end)$`), false},
	{"detections", regexp.MustCompile(`^nms_`), false},
}

// family is the place of a kernel's family, or -1.
func family(kernel string) int {
	for i, f := range families {
		if f.kernels.MatchString(kernel) {
			return i
		}
	}
	return -1
}

// Every kernel that is compiled has a family.
func TestFamilies(t *testing.T) {
	f, err := os.Open("cuda/kernel/kernels.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), " ")
		if !strings.Contains(rest, "|") || strings.HasPrefix(name, "#") || strings.HasPrefix(name, "__") {
			continue
		}
		n++
		if family(name) < 0 {
			t.Errorf("kernel %s is in no family of this file", name)
		}
	}
	if n < 100 {
		t.Errorf("found %d kernels", n)
	}
}

// profile says where the time of a step goes. step is the time of the captured one in seconds.
func profile(launches []native.Timed, step, flop float64) string {
	type sum struct {
		name    string
		n       int
		seconds float64
		third   bool
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
