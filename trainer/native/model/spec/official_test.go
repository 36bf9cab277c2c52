package spec_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// official is what testdata/gen.py wrote about one model: the official code at commit 5b1ea9a, PyTorch 2.15.0.
type official struct {
	Tensors           int
	SHA256            string
	Params80          int64
	Params3           int64
	Fused80           int64
	Fused3            int64
	MultiplyAdds      int64 `json:"multiply_adds"`
	FusedMultiplyAdds int64 `json:"fused_multiply_adds"` // 0: the model has an auxiliary part
}

func TestOfficial(t *testing.T) {
	src, err := os.ReadFile("testdata/official.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]official
	if err := json.Unmarshal(src, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 10 {
		t.Fatalf("%d models", len(all))
	}
	for name, want := range all {
		c := resolve(t, name, spec.Options{Classes: 80}).Cost(64, 64)
		if n, sum := digest(c.Tensors); n != want.Tensors || sum != want.SHA256 {
			t.Errorf("%s: %d tensors with digest %s, want %d with %s", name, n, sum, want.Tensors, want.SHA256)
		}
		small := resolve(t, name, spec.Options{Classes: 3}).Cost(64, 64)
		if got, want := []int64{c.Params, small.Params, c.Fused, small.Fused}, []int64{want.Params80, want.Params3, want.Fused80, want.Fused3}; !slices.Equal(got, want) {
			t.Errorf("%s: parameters %v, want %v", name, got, want)
		}
		if c.TrainMultiplyAdds != want.MultiplyAdds {
			t.Errorf("%s: %d multiply-adds in training, want %d", name, c.TrainMultiplyAdds, want.MultiplyAdds)
		}
		if w := want.FusedMultiplyAdds; w > 0 && c.MultiplyAdds != w {
			t.Errorf("%s: %d multiply-adds in inference, want %d", name, c.MultiplyAdds, w)
		}
	}
}

// digest is the number of tensors and the SHA-256 of their sorted lines "name 1,2,3".
func digest(ts []spec.Tensor) (int, string) {
	var lines []string
	for _, t := range ts {
		lines = append(lines, t.Name+" "+strings.Trim(strings.ReplaceAll(fmt.Sprint(t.Shape), " ", ","), "[]"))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return len(lines), hex.EncodeToString(sum[:])
}

// What the auxiliary part leaves behind in inference is the model of the same size without one.
func TestInferenceDropsTheAuxiliaryPart(t *testing.T) {
	for _, size := range []string{"t", "s", "m", "c"} {
		plain := resolve(t, "gelan-"+size, spec.Options{Classes: 3}).Cost(64, 64)
		dual := resolve(t, "yolov9-"+size, spec.Options{Classes: 3}).Cost(64, 64)
		if dual.Inference != plain.Fused || plain.Inference != plain.Fused || dual.MultiplyAdds != plain.MultiplyAdds {
			t.Errorf("%s: inference %d parameters, %d multiply-adds; without the part %d, %d", size, dual.Inference, dual.MultiplyAdds, plain.Fused, plain.MultiplyAdds)
		}
		none := 0.0
		without := resolve(t, "yolov9-"+size, spec.Options{Classes: 3, Weight: &none}).Cost(64, 64)
		if without.Params != plain.Params || without.TrainMultiplyAdds != plain.TrainMultiplyAdds {
			t.Errorf("%s at weight 0: %d parameters, want %d", size, without.Params, plain.Params)
		}
	}
}
