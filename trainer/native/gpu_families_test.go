package native_test

import (
	"bufio"
	"os"
	"regexp"
	"strings"
	"testing"
)

// families are groups of kernels by what a step does in them. The first that fits is a kernel's.
var families = []struct {
	name    string
	kernels *regexp.Regexp
	third   bool // a third of the multiply-adds of a step's convolutions
}{
	{"convolutions, gradients of weights", regexp.MustCompile(`^conv\d+_(\w+_)?weights?_|^conv32_bias_|^sum_slices$`), true},
	{"convolutions, gradients of inputs", regexp.MustCompile(`^conv\d+_(\w+_)?back_`), true},
	{"convolutions, forward", regexp.MustCompile(`^conv\d+_`), true},
	{"beside cuDNN", regexp.MustCompile(`^(product_sums|widen)_`), false},
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
		called := strings.HasPrefix(strings.TrimSpace(rest), "called") // by kernels
		if !strings.Contains(rest, "|") || strings.HasPrefix(name, "#") || called {
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
