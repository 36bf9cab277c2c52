package spec_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

const (
	begin = "name: x\nlayers:\n  - {module: Conv, out: 16, stride: 2, as: a}\n"
	end   = "head: {module: DDetect, main: [z]}\n"
)

// Lines of the table stand from line 4 of the file on.
func TestFaults(t *testing.T) {
	tests := []struct {
		name, lines string
		want        []string
	}{
		{"unknown module", "  - {module: Elan1, out: 16, as: z}\n", []string{`x.yaml:4:14: layer 1: unknown module Elan1: did you mean "ELAN1"?`}},
		{"unknown key", "  - {module: Conv, out: 16, strid: 2, as: z}\n", []string{`x.yaml:4:29: layer 1 has the unknown key strid: did you mean "stride"?`}},
		{"key twice", "  - {module: Conv, out: 16, out: 8, as: z}\n", []string{"x.yaml:4:29: layer 1 has the key out twice"}},
		{"missing argument", "  - {module: ELAN1, out: 16, as: z}\n", []string{"layer 1: ELAN1 needs split and hidden"}},
		{"surplus argument", "  - {module: AConv, out: 16, repeats: 2, as: z}\n", []string{"x.yaml:4:39: layer 1: AConv has no argument repeats"}},
		{"no number", "  - {module: Conv, out: many, as: z}\n", []string{"x.yaml:4:25: out must be a whole number from 1 to"}},
		{"unknown label", "  - {module: Concat, from: [above, b], as: z}\n", []string{"x.yaml:4:36: layer 1 reads b, and no layer is called so"}},
		{"itself", "  - {module: Concat, from: [a, z], as: z}\n", []string{"x.yaml:4:32: layer 1 reads itself: a cycle"}},
		{"cycle", "  - {module: Concat, from: [a, z], as: b}\n  - {module: Conv, from: b, out: 16, as: z}\n", []string{"x.yaml:4:32: layer 1 reads z, which stands after it (layer 2): a cycle"}},
		{"label twice", "  - {module: Conv, out: 16, as: a}\n  - {module: Conv, out: 16, as: z}\n", []string{"x.yaml:4:33: layer 1 is called a, as layer 0 is"}},
		{"strides of concat", "  - {module: AConv, out: 16}\n  - {module: Concat, from: [above, a], as: z}\n", []string{"x.yaml:5:29: layer 2: Concat of strides 4 and 2"}},
		{"concat of one", "  - {module: Concat, as: z}\n", []string{"layer 1: Concat reads two layers or more, not 1"}},
		{"channels", "  - {module: CBLinear, outs: [16, 24], as: c}\n  - {module: CBFuse, from: [c, a], pick: [1], as: z}\n", []string{"x.yaml:5:42: layer 2: group 1 of c has 24 channels, and what it is added to has 16"}},
		{"group", "  - {module: CBLinear, outs: [16], as: c}\n  - {module: CBFuse, from: [c, a], pick: [1], as: z}\n", []string{"layer 2 picks group 1 of c, which has 1, from 0"}},
		{"picks", "  - {module: CBLinear, outs: [16], as: c}\n  - {module: CBFuse, from: [c, a], pick: [0, 0], as: z}\n", []string{"pick names 2 groups for 1 layers"}},
		{"groups as a layer", "  - {module: CBLinear, outs: [16], as: c}\n  - {module: Conv, out: 16, as: z}\n", []string{"layer 2: Conv reads groups of a CBLinear"}},
		{"odd halves", "  - {module: ELAN1, out: 16, split: 15, hidden: 8, as: z}\n", []string{"x.yaml:4:37: layer 1: split of ELAN1 is 15"}},
		{"kernel", "  - {module: Conv, out: 16, kernel: 1, stride: 2, as: z}\n", []string{"kernel 1 with stride 2"}},
		{"finer than the image", "  - {module: Upsample}\n  - {module: Upsample, as: z}\n", []string{"layer 2: Upsample of a layer with stride 1"}},
		{"image", "  - {module: AConv, from: image, out: 16, as: z}\n", []string{"AConv cannot read the image"}},
		{"too deep", strings.Repeat("  - {module: AConv, out: 16}\n", 6) + "  - {module: Upsample, as: z}\n", []string{"x.yaml:9:6: layer 6 has stride 128: too deep"}},
		{"too large", "  - {module: Conv, out: 16384}\n  - {module: Conv, out: 16384, as: z}\n", []string{"parameters: too wide or too deep"}},
		{"nobody reads it", "  - {module: Conv, out: 16, as: z}\n  - {module: Conv, out: 16}\n", []string{"x.yaml:5:6: nothing reads layer 2"}},
		{"no level", "  - {module: Conv, out: 16}\n", []string{"main level 0 is z, and no layer is called so"}},
		{"several at once", "  - {module: Elan, as: b}\n  - {module: Concat, from: [b, q]}\n  - {module: Conv, out: 16, kernel: 2, as: z}\n", []string{"x.yaml:4:14:", "x.yaml:5:32:", "x.yaml:6:6:"}},
		{"of the decoding and beyond", "  - {module: Elan, as: b}\n  - {module: Conv, ou: 16, out: many}\n  - {module: Concat, from: [a, q], as: z}\n", []string{"x.yaml:4:14:", "x.yaml:5:20:", "x.yaml:5:33:", "x.yaml:6:32:"}},
		{"no YAML", "  - {module: Conv\n", []string{"x.yaml:", "not YAML"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := spec.Parse("x.yaml", []byte(begin+tt.lines+end))
			if err == nil {
				_, err = f.Resolve(spec.Options{Classes: 3})
			}
			var faults spec.Faults
			if !errors.As(err, &faults) {
				t.Fatalf("error %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("faults\n%v\nwithout %q", err, want)
				}
			}
			if len(faults) > len(tt.want)+1 {
				t.Errorf("%d faults, %d expected:\n%v", len(faults), len(tt.want), err)
			}
		})
	}
}

func TestNoLabels(t *testing.T) {
	f, err := spec.Parse("x.yaml", []byte("name: x\nlayers:\n  - {module: Conv, out: 16, stride: 2}\nhead: {module: DDetect, main: [above]}\n"))
	if err == nil {
		_, err = f.Resolve(spec.Options{Classes: 3})
	}
	if want := "x.yaml:4:32: main level 0 is above, and no layer is called so: no layer has a label"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestOptions(t *testing.T) {
	f, err := spec.Open("gelan-t")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Resolve(spec.Options{}); err == nil {
		t.Error("0 classes are possible")
	}
	quarter := 0.25
	if _, err := f.Resolve(spec.Options{Classes: 1, Weight: &quarter}); err == nil || !strings.Contains(err.Error(), "no auxiliary head") {
		t.Errorf("weight of an auxiliary head that is not there: %v", err)
	}
	if _, err := spec.Open("gelan-x"); !errors.Is(err, spec.ErrUnknown) {
		t.Errorf("unknown name: %v", err)
	}
}

func TestMultipliers(t *testing.T) {
	const src = "name: x\nwidth: 0.5\ndepth: 0.34\nlayers:\n  - {module: Conv, out: 18, stride: 2}\n" +
		"  - {module: RepNCSPELAN4, out: 64, split: 64, hidden: 32, repeats: 3, as: z}\n" + end
	f, err := spec.Parse("x.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.Resolve(spec.Options{Classes: 1})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := m.Layers[0], m.Layers[1]; a.Out != 16 || b.Out != 32 || b.Split != 32 || b.Hidden != 16 || b.Repeats != 1 {
		t.Errorf("layers %+v", m.Layers)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(begin + end))
	f.Add([]byte("name: x\nlayers: [{module: CBFuse, from: [image, above], pick: [0]}]\nhead: {main: [image]}"))
	for _, name := range spec.Names() {
		m, err := spec.Open(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m.Source)
	}
	f.Fuzz(func(_ *testing.T, src []byte) {
		if file, err := spec.Parse("x.yaml", src); err == nil {
			_, _ = file.Resolve(spec.Options{Classes: 2})
		}
	})
}
