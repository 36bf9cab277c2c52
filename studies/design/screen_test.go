package design_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
)

func numbered(k int) []string {
	var names []string
	for i := range k {
		names = append(names, fmt.Sprintf("f%02d", i))
	}
	return names
}

// Columns are balanced and orthogonal, the first run is the baseline, and fold-over keeps that; for every size that
// studies.ScreeningRuns allows.
func TestPlackettBurmanIsOrthogonal(t *testing.T) {
	sizes := 0
	for n := 4; n <= 100; n += 4 {
		if _, err := studies.ScreeningRuns(2, studies.Layout{Runs: n}); err != nil {
			if n <= 48 {
				t.Errorf("%d runs: %v", n, err)
			}
			continue
		}
		sizes++
		rows, err := design.Screening(n-1, n)
		if err != nil {
			t.Errorf("%d runs: %v", n, err)
			continue
		}
		if !slices.Equal(rows[0], slices.Repeat([]float64{-1}, n-1)) {
			t.Errorf("%d runs: the first is not the baseline", n)
		}
		for _, rows := range [][][]float64{rows, design.Turned(rows)} {
			for i := range n - 1 {
				for j := range i + 1 {
					sum, dot := 0.0, 0.0
					for _, row := range rows {
						if math.Abs(row[i]) != 1 {
							t.Fatalf("%d runs: level %v", n, row[i])
						}
						sum += row[i]
						dot += row[i] * row[j]
					}
					want := 0.0
					if i == j {
						want = float64(len(rows))
					}
					if sum != 0 || dot != want {
						t.Fatalf("%d runs: column %d sums to %v, with column %d to %v", n, i, sum, j, dot)
					}
				}
			}
		}
	}
	if sizes != 22 {
		t.Errorf("%d sizes", sizes)
	}
}

// The 12 runs are the cyclic shifts of the row that Plackett and Burman (1946) print, and the run without any.
func TestPlackettBurmanOf12Runs(t *testing.T) {
	rows, err := design.Screening(11, 12)
	if err != nil {
		t.Fatal(err)
	}
	printed := "++-+++---+-"
	want := []string{"-----------"}
	for i := range printed {
		want = append(want, printed[len(printed)-i:]+printed[:len(printed)-i])
	}
	var got []string
	for _, row := range rows {
		s := ""
		for _, v := range row {
			s += map[float64]string{-1: "-", 1: "+"}[v]
		}
		got = append(got, s)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Every interaction of two is in each main effect that it is no part of by a third, up or down: as numpy has it
// for the design of pyDOE3, whose columns are others. Fold-over frees main effects of them.
func TestPartialAliasesOf12Runs(t *testing.T) {
	rows, err := design.Screening(11, 12)
	if err != nil {
		t.Fatal(err)
	}
	thirds := 0
	for _, a := range design.AliasesOf(numbered(11), rows, 2) {
		if len(a.Term) > 1 {
			continue
		}
		for _, w := range a.Weights {
			if math.Abs(math.Abs(w)-1./3) > 1e-12 {
				t.Errorf("%v has a weight of %v", a.Term, w)
			}
			thirds++
		}
	}
	if thirds != 495 { // testdata/gen.py: 495 entries of 1/3, 110 zeros
		t.Errorf("%d entries of a third", thirds)
	}
	for _, a := range design.AliasesOf(numbered(11), design.Turned(rows), 2) {
		if len(a.Term) == 1 {
			t.Errorf("folded over, %v has %v in it", a.Term, a.With)
		}
	}
}

// The alias matrix of main effects is numpy's for the designs of pyDOE3, and for one with a factor that
// changes nothing in half of the runs.
func TestAliasMatrix(t *testing.T) {
	ref := references(t)
	type matrix struct {
		name          string
		rows, aliases [][]float64
		skip          map[string]bool // interactions that do not exist
	}
	var cases []matrix
	for _, c := range ref.PBDesign {
		if c.Aliases != nil {
			cases = append(cases, matrix{fmt.Sprintf("%d factors", c.Factors), c.Rows, c.Aliases, nil})
		}
	}
	cases = append(cases, matrix{"nested", ref.Nested.Rows, ref.Nested.Aliases, map[string]bool{"f00 f02": true}})
	for _, c := range cases {
		k := len(c.rows[0])
		names := numbered(k)
		got := map[string]float64{}
		for _, a := range design.AliasesOf(names, c.rows, 2) {
			for i, w := range a.With {
				if len(a.Term) == 1 {
					got[a.Term[0]+" | "+strings.Join(w, " ")] = a.Weights[i]
				}
			}
		}
		for i := range k {
			pair := 0
			for a := range k {
				for b := a + 1; b < k; b++ {
					id := names[a] + " " + names[b]
					want := c.aliases[i][pair]
					pair++
					if c.skip[id] {
						want = 0
					}
					if math.Abs(got[names[i]+" | "+id]-want) > 1e-9 {
						t.Errorf("%s: in %s there is %v of %s, numpy says %v", c.name, names[i], got[names[i]+" | "+id], id, want)
					}
				}
			}
		}
	}
}

// Main effects that cannot be told from each other, and columns that never change, are no division by zero.
func TestAliasesOfDegenerateRuns(t *testing.T) {
	names := []string{"a", "b", "c"}
	rows := [][]float64{{-1, -1, 1}, {1, 1, 1}, {-1, -1, 1}, {1, 1, 1}}
	got := design.AliasesOf(names, rows, 2)
	want := []design.Alias{{Term: []string{"a"}, With: [][]string{{"b"}}, Weights: []float64{1}}, {Term: []string{"b"}, With: [][]string{{"a"}}, Weights: []float64{1}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, rows := range [][][]float64{nil, {{1, 1, 1}}, {{0, 0, 0}, {0, 0, 0}}} {
		if got := design.AliasesOf(names, rows, 3); len(got) > 0 {
			t.Errorf("%v: %v", rows, got)
		}
	}
}

func TestClear(t *testing.T) {
	table := []design.Alias{
		{Term: []string{"a"}, With: [][]string{{"b", "c"}}, Weights: []float64{1. / 3}},
		{Term: []string{"a", "b"}, With: [][]string{{"c", "d", "e"}}, Weights: []float64{1}},
	}
	for term, want := range map[string]bool{"a": false, "b": true, "b c": false, "c b": false, "a b": true, "a c": true, "c d e": false} {
		if got := design.Clear(table, strings.Fields(term)...); got != want {
			t.Errorf("%s clear: %v, want %v", term, got, want)
		}
	}
}

// screened lays out a design over toggles f00, f01 ... of which f00 is on in the baseline.
func screened(t *testing.T, k int, kind string, extra string, set ...string) design.Plan {
	t.Helper()
	src := head + "baseline: {z: 9}\nfactors:\n"
	for i, n := range numbered(k) {
		if i == 0 {
			src += "  f00: [1.0, 0.0]\n"
		} else {
			src += "  " + n + ": [0, 1]\n"
		}
	}
	return points(t, src+"design: "+kind+"\n"+extra, set...)
}

func TestFractionalPlan(t *testing.T) {
	p := screened(t, 5, "{kind: fractional-factorial, resolution: 3}", "replicates: 2\n")
	if p.Reference != "" || p.Resolution != "III" || len(p.Arms) != 8 || len(p.Points) != 16 {
		t.Errorf("reference %q, resolution %s, %d arms, %d points", p.Reference, p.Resolution, len(p.Arms), len(p.Points))
	}
	if diff := cmp.Diff([]string{"D=-AB", "E=-AC"}, p.Generators); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"-ABD", "-ACE", "BCDE"}, p.Relation); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"baseline: f00=1 f01=0 f02=0 f03=0 f04=0 z=9 | ",
		"f00=0 f03=1 f04=1: f00=0 f01=0 f02=0 f03=1 f04=1 z=9 | f00 1>0, f03 0>1, f04 0>1",
	}, arms(p)[:2]); diff != "" {
		t.Error(diff)
	}
	if p.Error != 0.5 { // 2/sqrt(16)
		t.Errorf("standard error %v", p.Error)
	}
	for _, c := range []struct {
		term string
		want bool
	}{{"f00", false}, {"f01 f02", false}, {"f01 f04", false}} {
		if got := design.Clear(p.Aliases, strings.Fields(c.term)...); got != c.want {
			t.Errorf("%s clear: %v", c.term, got)
		}
	}
	if diff := cmp.Diff([]string{
		"resolution III: main effects are clear of each other, not of interactions of two",
		"generators D=-AB, E=-AC",
		"defining relation I = -ABD = -ACE = BCDE",
		"standard error of a main effect: 0.50 of the sd of a trial; one-factor with as many trials: 0.87",
		"f00 cannot be told from f01 × f03, f02 × f04",
		"f01 cannot be told from f00 × f03",
		"f02 cannot be told from f00 × f04",
		"f03 cannot be told from f00 × f01",
		"f04 cannot be told from f00 × f02",
		"f01 × f02 cannot be told from f03 × f04",
		"f01 × f04 cannot be told from f02 × f03",
	}, p.Words()); diff != "" {
		t.Error(diff)
	}
}

// A half fraction of resolution V has nothing to tell of, and all combinations even less.
func TestClearPlans(t *testing.T) {
	p := screened(t, 5, "fractional-factorial", "")
	if p.Resolution != "V" || len(p.Points) != 16 || !design.Clear(p.Aliases, "f00", "f01") || !design.Clear(p.Aliases, "f03") {
		t.Errorf("resolution %s, %d points, %v", p.Resolution, len(p.Points), p.Aliases)
	}
	if got := strings.Join(p.Words(), "\n"); strings.Contains(got, "cannot be told") || strings.Contains(got, "part") {
		t.Error(got)
	}
	p = screened(t, 3, "fractional-factorial", "")
	if p.Resolution != "full" || len(p.Points) != 8 || len(p.Aliases) > 0 || len(p.Generators) > 0 {
		t.Errorf("%+v", p)
	}
}

func TestGivenGenerators(t *testing.T) {
	p := screened(t, 5, "{kind: fractional-factorial, generators: ['f03 = f00*f01', E=AC]}", "")
	if diff := cmp.Diff([]string{"D=AB", "E=AC"}, p.Generators); diff != "" {
		t.Error(diff)
	}
	if _, has := p.Arm(design.Baseline); has || !strings.Contains(strings.Join(p.Notes, "\n"), "the baseline itself is not among the runs") {
		t.Error(p.Notes)
	}
	for _, a := range p.Aliases {
		for i, w := range a.With {
			if len(a.Term) == 1 && len(w) == 2 && a.Weights[i] != 1 {
				t.Errorf("%v with %v: %v", a.Term, w, a.Weights[i])
			}
		}
	}
}

func TestFoldOver(t *testing.T) {
	p := screened(t, 7, "{kind: fractional-factorial, resolution: 3, fold_over: true}", "")
	if p.Resolution != "IV" || len(p.Points) != 16 || len(p.Arms) != 16 {
		t.Errorf("resolution %s, %d points, %d arms", p.Resolution, len(p.Points), len(p.Arms))
	}
	if p = screened(t, 7, "{kind: fractional-factorial, fold_over: true}", ""); len(p.Points) != 16 || p.Resolution != "IV" {
		t.Errorf("without a resolution: %d points, %s", len(p.Points), p.Resolution)
	}
	p = screened(t, 4, "{kind: fractional-factorial, resolution: 4, fold_over: true}", "")
	if len(p.Arms) != 8 || len(p.Points) != 16 || !strings.Contains(strings.Join(p.Notes, "\n"), "fold-over repeats the runs") {
		t.Errorf("%d arms, %d points, %v", len(p.Arms), len(p.Points), p.Notes)
	}
	p = screened(t, 11, "{kind: plackett-burman, fold_over: true}", "")
	if p.Resolution != "IV" || len(p.Points) != 24 {
		t.Errorf("resolution %s, %d points", p.Resolution, len(p.Points))
	}
	for i := range 11 {
		if !design.Clear(p.Aliases, numbered(11)[i]) {
			t.Errorf("%s is not clear", numbered(11)[i])
		}
	}
	if design.Clear(p.Aliases, "f00", "f01") {
		t.Error("interactions are mixed with each other")
	}
}

func TestPlackettBurmanPlan(t *testing.T) {
	p := screened(t, 11, "plackett-burman", "replicates: 2\n")
	if p.Resolution != "III" || len(p.Arms) != 12 || len(p.Points) != 24 || p.Arms[0].Name != design.Baseline {
		t.Errorf("resolution %s, %d arms, %d points", p.Resolution, len(p.Arms), len(p.Points))
	}
	if diff := cmp.Diff([]string{
		"resolution III: main effects are clear of each other, not of interactions of two",
		"standard error of a main effect: 0.41 of the sd of a trial; one-factor with as many trials: 1.00",
		"in every main effect there is 1/3 of each interaction of two other factors, added or taken off: 45 of them",
		"no interaction can be estimated: they are in the main effects",
	}, p.Words()); diff != "" {
		t.Error(diff)
	}
	for i, a := range numbered(11) {
		for _, b := range numbered(11)[:i] {
			if design.Clear(p.Aliases, b, a) {
				t.Errorf("%s × %s is said to be clear", b, a)
			}
		}
	}
	for _, c := range []struct{ k, runs int }{{2, 4}, {3, 4}, {4, 8}, {7, 8}, {8, 12}, {12, 16}, {20, 24}, {24, 28}, {30, 32}, {47, 48}} {
		if p := screened(t, c.k, "plackett-burman", ""); len(p.Points) != c.runs {
			t.Errorf("%d factors: %d runs, want %d", c.k, len(p.Points), c.runs)
		}
	}
	// 16 runs are a regular fraction, and the best of them: 8 factors have resolution IV.
	if p := screened(t, 8, "{kind: plackett-burman, runs: 16}", ""); p.Resolution != "IV" || len(p.Generators) != 4 {
		t.Errorf("resolution %s, generators %v", p.Resolution, p.Generators)
	}
	if p := screened(t, 2, "{kind: plackett-burman, runs: 12}", ""); p.Resolution != "full" || len(p.Arms) != 4 || p.Arms[0].Times != 3 {
		t.Errorf("two factors in 12 runs: %s, %d arms, %+v", p.Resolution, len(p.Arms), p.Arms[0])
	}
}

// No two arms train alike, no key or seed of an arm comes twice, and more replicates leave all that was there.
func TestScreeningKeys(t *testing.T) {
	const nest = "factors.f02.requires.f00=1"
	for _, kind := range []string{"fractional-factorial", "{kind: fractional-factorial, resolution: 3, fold_over: true}", "plackett-burman", "{kind: plackett-burman, runs: 12, fold_over: true}",
		"{kind: latin-hypercube, runs: 40}", "{kind: sobol, runs: 40}"} {
		for _, set := range [][]string{{"replicates=2"}, {"replicates=2", nest}} {
			small := screened(t, 5, kind, "", set...)
			large := screened(t, 5, kind, "", append([]string{"replicates=5"}, set[1:]...)...)
			keys, seeds, params := map[string]design.Point{}, map[string]bool{}, map[string]string{}
			for _, q := range large.Points {
				if _, twice := keys[q.Key]; twice {
					t.Errorf("%s: key %q twice", kind, q.Key)
				}
				keys[q.Key] = q
				id := fmt.Sprintf("%s %d", q.Params.Key(), q.Seed)
				if seeds[id] {
					t.Errorf("%s: %s trained twice with one seed", kind, q.Key)
				}
				seeds[id] = true
				if name, has := params[q.Params.Key()]; has && name != q.Arm {
					t.Errorf("%s: %s trains what %s trains", kind, q.Arm, name)
				}
				params[q.Params.Key()] = q.Arm
			}
			for _, q := range small.Points {
				if diff := cmp.Diff(keys[q.Key], q); diff != "" {
					t.Errorf("%s: %s changed with more replicates: %s", kind, q.Key, diff)
				}
			}
			if len(large.Points)*2 != len(small.Points)*5 {
				t.Errorf("%s: %d and %d points", kind, len(small.Points), len(large.Points))
			}
			if diff := cmp.Diff(small, screened(t, 5, kind, "", set...)); diff != "" {
				t.Errorf("%s is not the same twice: %s", kind, diff)
			}
		}
	}
}

// Mixup without mosaic changes nothing: it has its baseline value there, runs that train alike are replicates, and
// the alias table is that of the runs: what mixup × x would be is only half there.
func TestNestedFraction(t *testing.T) {
	src := head + "factors:\n  mosaic: [1, 0]\n  mixup: {levels: [0.15, 0], requires: {mosaic: 1}}\n  c: [0, 1]\n  d: [0, 1]\ndesign: {kind: fractional-factorial, generators: [D=ABC]}\n"
	p := points(t, src)
	if len(p.Arms) != 8 || len(p.Points) != 8 || p.Error != 0 {
		t.Errorf("%d arms, %d points, error %v", len(p.Arms), len(p.Points), p.Error)
	}
	for _, a := range p.Arms {
		if a.Params["mosaic"] == int64(0) && a.Params["mixup"] != 0.15 {
			t.Errorf("%s: mixup is %v", a.Name, a.Params["mixup"])
		}
	}
	if p.Resolution != "III" { // mixup is c × d among the runs with mosaic
		t.Errorf("resolution %s", p.Resolution)
	}
	for term, want := range map[string]bool{"mosaic": true, "mixup": false, "c": false, "c d": false, "mosaic mixup": true} {
		if got := design.Clear(p.Aliases, strings.Fields(term)...); got != want {
			t.Errorf("%s clear: %v, want %v; %v", term, got, want, p.Aliases)
		}
	}
	said := strings.Join(p.Notes, "\n")
	for _, want := range []string{"mixup changes nothing without mosaic=1: it is compared in 4 of 8 runs", "main effects stay orthogonal"} {
		if !strings.Contains(said, want) {
			t.Errorf("notes lack %q: %s", want, said)
		}
	}
	twelve := points(t, strings.Replace(src, "{kind: fractional-factorial, generators: [D=ABC]}", "{kind: plackett-burman, runs: 12}", 1))
	if said := strings.Join(twelve.Notes, "\n"); !strings.Contains(said, "not orthogonal: effects are read by least squares") || design.Clear(twelve.Aliases, "c") {
		t.Errorf("12 runs: %s", said)
	}
	full := points(t, strings.Replace(src, "{kind: fractional-factorial, generators: [D=ABC]}", "{kind: fractional-factorial, resolution: 5}", 1))
	var repeated []string
	for _, a := range full.Arms {
		if a.Times > 1 {
			repeated = append(repeated, fmt.Sprintf("%s %d", a.Name, a.Times))
		}
	}
	if diff := cmp.Diff([]string{"mosaic=0 2", "mosaic=0 c=1 2", "mosaic=0 d=1 2", "mosaic=0 c=1 d=1 2"}, repeated); diff != "" {
		t.Error(diff)
	}
	var keys []string
	for _, q := range full.Points {
		if q.Arm == "mosaic=0" {
			keys = append(keys, fmt.Sprintf("%s %v", q.Key, q.Seed == design.Seed(0, q.Replicate)))
		}
	}
	if diff := cmp.Diff([]string{"mosaic=0 r0 true", "mosaic=0 r1 true"}, keys); diff != "" {
		t.Error(diff)
	}
	if len(full.Points) != 16 || len(full.Aliases) != 0 {
		t.Errorf("%d points, aliases %v", len(full.Points), full.Aliases)
	}
}

// In 16 runs of 7 factors every pair is in words of length 4. In 32 runs of 8 some are in none, and such a pair
// is given to a factor and the one that it requires: its effect is clear, in half of the runs.
func TestNestedFactorsSitApart(t *testing.T) {
	const nest = "factors.f05.requires.f00=1"
	p := screened(t, 8, "{kind: fractional-factorial, runs: 32}", "", nest)
	if p.Resolution != "IV" || !design.Clear(p.Aliases, "f05") || !slices.ContainsFunc(p.Arms, func(a design.Arm) bool { return a.Name == design.Baseline }) {
		t.Errorf("resolution %s, generators %v, %v", p.Resolution, p.Generators, p.Notes)
	}
	for _, k := range []int{5, 6, 7} { // resolution III, but not with the two in one word of length 3
		p := screened(t, k, "{kind: fractional-factorial, resolution: 3}", "", "factors.f01.requires.f00=1")
		for _, w := range p.Relation {
			if w = strings.TrimPrefix(w, "-"); k < 7 && len(w) == 3 && strings.Contains(w, "A") && strings.Contains(w, "B") {
				t.Errorf("%d factors: word %s", k, w)
			}
		}
		if len(p.Points) != 8 || p.Arms[0].Name != design.Baseline {
			t.Errorf("%d factors: %d points, first %s", k, len(p.Points), p.Arms[0].Name)
		}
	}
}
