package studies_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
)

func twoLevel(names ...string) []studies.Factor {
	var fs []studies.Factor
	for _, n := range names {
		fs = append(fs, studies.Factor{Name: n, Levels: []any{int64(0), int64(1)}})
	}
	return fs
}

func TestGenerators(t *testing.T) {
	factors := twoLevel("mosaic", "mixup", "lr0", "box", "B", "hsv.h")
	for _, c := range []struct {
		texts []string
		want  []string
		fault string
	}{
		{[]string{"D=ABC"}, []string{"D=ABC"}, ""},
		{[]string{" D = -A B "}, nil, `"A B" is no factor`},
		{[]string{"D=-A*mixup", "hsv.h = +mosaic*lr0"}, []string{"D=-AB", "F=AC"}, ""},
		{[]string{"box = B*mosaic"}, []string{"D=AE"}, ""}, // the factor called B, not the second one
		{[]string{"D=CAE"}, []string{"D=ACE"}, ""},
		{[]string{"D ABC"}, nil, "no equals sign"},
		{[]string{"D=AA"}, nil, "mosaic is there twice"},
		{[]string{"D=AD"}, nil, "box follows from itself"},
		{[]string{"D=A"}, nil, "box would always change together with mosaic"},
		{[]string{"D="}, nil, "a factor is missing"},
		{[]string{"=AB"}, nil, "a factor is missing"},
		{[]string{"D=A*"}, nil, "a factor is missing"},
		{[]string{"D=--AC"}, nil, `"-AC" is no factor`},
		{[]string{"AD=ACE"}, nil, "one factor"},
		{[]string{"D=AZ"}, nil, `"AZ" is no factor`},
		{[]string{"D=AI"}, nil, `"AI" is no factor`},
		{[]string{"D=abc"}, nil, `"abc" is no factor`},
		{[]string{"D=AC", "D=AE"}, nil, "box is generated twice"},
		{[]string{"D=AC", "F=CA"}, nil, "hsv.h would always change together with box"},
		{[]string{"D=AC", "F=CD"}, nil, "box is generated itself"},
		{[]string{"F=CD", "D=AC"}, nil, "box is generated itself"},
	} {
		gs, err := studies.Generators(factors, c.texts)
		if c.fault != "" {
			var f studies.Fault
			if !errors.As(err, &f) || !strings.Contains(err.Error(), c.fault) || !strings.HasPrefix(f.Path, "design.generators[") {
				t.Errorf("%q: %v, want %q", c.texts, err, c.fault)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.texts, err)
			continue
		}
		var got []string
		for _, g := range gs {
			got = append(got, g.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q: %s", c.texts, diff)
		}
	}
}

// Whatever is read as a generator is written as one that is read as the same.
func FuzzGenerators(f *testing.F) {
	for _, s := range []string{"E=ABC", "E=-ABC", "mixup = mosaic*lr0", "D=", "=", "A*=B", "E=ABCD", "e=f", "E=−AB", "hsv=\xff"} {
		f.Add(s)
	}
	factors := twoLevel("mosaic", "mixup", "lr0", "box", "hsv")
	f.Fuzz(func(t *testing.T, text string) {
		gs, err := studies.Generators(factors, []string{text})
		if err != nil {
			var fault studies.Fault
			if !errors.As(err, &fault) {
				t.Errorf("%q: %v has no place", text, err)
			}
			return
		}
		again, err := studies.Generators(factors, []string{gs[0].String()})
		if err != nil || cmp.Diff(gs, again) != "" {
			t.Errorf("%q is %s, read again %v, %v", text, gs[0], again, err)
		}
		if r := studies.Resolution(gs); r != len(gs[0].Of)+1 {
			t.Errorf("%q has resolution %d", text, r)
		}
	})
}

func toggles(k int) string {
	var b strings.Builder
	b.WriteString("name: a\ntrainer: {backend: command, command: [x]}\nfactors:\n")
	for i := range k {
		fmt.Fprintf(&b, "  f%02d: [0, 1]\n", i)
	}
	return b.String()
}

func TestFaultsOfLayouts(t *testing.T) {
	for _, c := range []struct {
		factors            int
		design, path, want string
	}{
		{2, "fractional-factorial", "factors", "needs at least 3 factors"},
		{26, "fractional-factorial", "factors", "at most 25 factors"},
		{5, "{kind: fractional-factorial, runs: 12}", "design.runs", "power of 2"},
		{5, "{kind: fractional-factorial, runs: 4}", "design.runs", "too few"},
		{5, "{kind: fractional-factorial, runs: 64}", "design.runs", "more than the 32 combinations"},
		{7, "{kind: fractional-factorial, runs: 16, resolution: 5}", "design.runs", "do not give 7 factors resolution 5"},
		{5, "{kind: fractional-factorial, generators: [E=ABX]}", "design.generators[0]", `"ABX" is no factor`},
		{5, "{kind: fractional-factorial, generators: [E=ABC, D=ABC]}", "design.generators[1]", "always change together"},
		{5, "{kind: fractional-factorial, generators: [E=ABC], runs: 8}", "design.runs", "make 16 runs, not 8"},
		{5, "{kind: fractional-factorial, generators: [E=AB], resolution: 4}", "design.resolution", "have resolution 3, not 4"},
		{20, "{kind: fractional-factorial, resolution: 9}", "design.resolution", "need 2^19 runs"},
		{14, "{kind: fractional-factorial, runs: 2048}", "design.runs", "no fraction of 2048 runs is known"},
		{11, "{kind: plackett-burman, runs: 8}", "design.runs", "too few"},
		{11, "{kind: plackett-burman, runs: 14}", "design.runs", "multiple of 4"},
		{11, "{kind: plackett-burman, runs: 52}", "design.runs", "no Plackett-Burman design of 52 runs"},
		{96, "plackett-burman", "factors", "at most 95 factors"},
		{22, "{kind: sobol, runs: 64}", "factors", "at most 21 factors"},
		{5, "latin-hypercube", "design", "how many points"},
		{5, "{kind: latin-hypercube, runs: 16, fold_over: true}", "design.fold_over", "does not read fold_over"},
		{5, "{kind: plackett-burman, resolution: 4}", "design.resolution", "does not read resolution"},
	} {
		_, err := studies.Parse([]byte(toggles(c.factors)+"design: "+c.design+"\n"), studies.Options{File: "a.yaml"})
		fs, _ := studies.AsFaults(err)
		if len(fs) != 1 || fs[0].Line == 0 || !strings.HasPrefix(fs[0].Path, c.path) || !strings.Contains(fs[0].Message, c.want) {
			t.Errorf("%d factors, %s: %v (path %v), want %q at %s", c.factors, c.design, err, fs, c.want, c.path)
		}
	}
	for _, design := range []string{"fractional-factorial", "plackett-burman"} {
		_, err := studies.Parse([]byte(toggles(3)+"  warm: [0, 1, 2]\ndesign: "+design+"\n"), studies.Options{})
		if err == nil || !strings.Contains(err.Error(), "factor warm has 3") {
			t.Errorf("%s: %v", design, err)
		}
		_, err = studies.Parse([]byte(toggles(3)+"  lr: {low: 0.1, high: 1}\ndesign: "+design+"\n"), studies.Options{})
		if err == nil || !strings.Contains(err.Error(), "factor lr has no levels") {
			t.Errorf("%s: %v", design, err)
		}
	}
	for _, c := range []struct {
		factors int
		rest    string
	}{
		{3, "fractional-factorial"}, {25, "fractional-factorial"}, {25, "{kind: fractional-factorial, resolution: 3}"}, {15, "{kind: fractional-factorial, resolution: 5}"},
		{95, "plackett-burman"}, {47, "{kind: plackett-burman, fold_over: true}"}, {21, "{kind: sobol, runs: 64}"}, {40, "{kind: latin-hypercube, runs: 64}"},
		{20, "fractional-factorial\nreplicates: 10000"}, // 64 runs, not 2^20
	} {
		if _, err := studies.Parse([]byte(toggles(c.factors)+"design: "+c.rest+"\n"), studies.Options{}); err != nil {
			t.Errorf("%d factors, %s: %v", c.factors, c.rest, err)
		}
	}
	if _, err := studies.Parse([]byte(toggles(20)+"design: fractional-factorial\nreplicates: 20000\n"), studies.Options{}); err == nil || !strings.Contains(err.Error(), "1280000 trials") {
		t.Errorf("64 runs of 20000 replicates: %v", err)
	}
}

// What was trained stays valid only if the points stay: levels of a two-level design do not grow, its options do not change.
func TestScreeningDesignsAreNotExtended(t *testing.T) {
	base := toggles(4)
	for _, c := range []struct {
		old, now string
		extends  bool
	}{
		{"fractional-factorial", "fractional-factorial\nreplicates: 2", true},
		{"fractional-factorial", "{kind: fractional-factorial, resolution: 3}", false},
		{"plackett-burman", "{kind: plackett-burman, fold_over: true}", false},
		{"{kind: latin-hypercube, runs: 8}", "{kind: latin-hypercube, runs: 9}", false},
		{"{kind: sobol, runs: 8}", "{kind: sobol, runs: 9}", true},
		{"{kind: sobol, runs: 8}", "{kind: sobol, runs: 7}", false},
	} {
		var specs []studies.Spec
		for _, d := range []string{c.old, c.now} {
			s, err := studies.Parse([]byte(base+"design: "+d+"\n"), studies.Options{})
			if err != nil {
				t.Fatal(err)
			}
			specs = append(specs, s)
		}
		if got, changes := studies.Diff(specs[0], specs[1]); got != c.extends {
			t.Errorf("%s to %s: extends %v, %v", c.old, c.now, got, changes)
		}
	}
	old, _ := studies.Parse([]byte(base+"design: {kind: sobol, runs: 8}\n"), studies.Options{})
	now, _ := studies.Parse([]byte(base+"design: {kind: sobol, runs: 8}\n"), studies.Options{Set: []string{"factors.f01=[0, 1, 2]"}})
	if extends, _ := studies.Diff(old, now); extends {
		t.Error("further levels spread all points anew")
	}
}
