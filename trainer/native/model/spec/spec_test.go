package spec_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

func resolve(t *testing.T, name string, o spec.Options) *spec.Model {
	t.Helper()
	f, err := spec.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.Resolve(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The counts are those of the official code at commit 5b1ea9a, instantiated with PyTorch 2.15.0: sum of numel over
// parameters(), the bins' numbers of the head included; fused after its fuse().
func TestCounts(t *testing.T) {
	tests := []struct {
		model   string
		classes int
		params  int64
		fused   int64 // 0: not known
	}{
		{"gelan-t", 80, 2_442_640, 0},
		{"gelan-t", 3, 1_913_833, 1_879_209},
		{"gelan-s", 80, 7_226_208, 0},
		{"gelan-s", 3, 7_196_409, 0},
		{"gelan-m", 80, 20_124_000, 0},
		{"gelan-m", 3, 20_068_329, 0},
		{"gelan-c", 80, 25_498_752, 0},
		{"gelan-c", 3, 25_439_385, 0},
		{"gelan-e", 80, 58_114_432, 0},
		{"gelan-e", 3, 58_055_065, 0},
		{"yolov9-t", 80, 3_717_680, 0},
		{"yolov9-t", 3, 2_660_066, 2_617_730},
		{"yolov9-s", 80, 9_804_512, 0},
		{"yolov9-s", 3, 9_744_914, 0},
		{"yolov9-m", 80, 32_878_432, 0},
		{"yolov9-m", 3, 32_767_090, 0},
		{"yolov9-c", 80, 51_182_080, 0},
		{"yolov9-c", 3, 51_004_210, 0},
		{"yolov9-e", 80, 69_529_664, 0},
		{"yolov9-e", 3, 69_410_930, 0},
	}
	for _, tt := range tests {
		c := resolve(t, tt.model, spec.Options{Classes: tt.classes}).Cost(64, 64)
		if c.Params != tt.params {
			t.Errorf("%s, %d classes: %d parameters, want %d", tt.model, tt.classes, c.Params, tt.params)
		}
		if tt.fused > 0 && c.Fused != tt.fused {
			t.Errorf("%s, %d classes: %d parameters fused, want %d", tt.model, tt.classes, c.Fused, tt.fused)
		}
	}
}
