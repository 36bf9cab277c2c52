package design_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/shipped"
	"github.com/mapsweep/mapsweep/trials"
)

const head = `name: a
trainer: {backend: command, command: [x]}
`

func points(t *testing.T, src string, set ...string) design.Plan {
	t.Helper()
	spec, err := studies.Parse([]byte(src), studies.Options{Set: set})
	if err != nil {
		t.Fatal(err)
	}
	p, err := design.Points(spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// arms prints every arm with all values of the factors and what changed.
func arms(p design.Plan) []string {
	var out []string
	for _, a := range p.Arms {
		var changes []string
		for _, c := range a.Changed {
			changes = append(changes, fmt.Sprintf("%s %s>%s", c.Factor, trials.FormatValue(c.From), trials.FormatValue(c.To)))
		}
		out = append(out, fmt.Sprintf("%s: %s | %s", a.Name, a.Params.Key(), strings.Join(changes, ", ")))
	}
	return out
}

func TestArms(t *testing.T) {
	const nested = `
baseline: {z: 9, mosaic: 1, mixup: 0.15}
factors: {mosaic: [1, 0], mixup: {levels: [0.15, 0], requires: {mosaic: 1}}}
`
	for _, c := range []struct {
		name, src        string
		reference        string
		arms, notes, set []string
	}{
		{name: "one-factor", reference: "baseline", src: "baseline: {z: 9}\nfactors: {a: [1, 2, 3], b: [none, x]}\ndesign: one-factor", arms: []string{
			"baseline: a=1 b=none z=9 | ",
			"a=2: a=2 b=none z=9 | a 1>2",
			"a=3: a=3 b=none z=9 | a 1>3",
			"b=x: a=1 b=x z=9 | b none>x"}},
		{name: "the baseline need not be the first level", reference: "baseline", src: "baseline: {a: 2}\nfactors: {a: [1, 2, 3]}\ndesign: one-factor", arms: []string{
			"baseline: a=2 | ", "a=1: a=1 | a 2>1", "a=3: a=3 | a 2>3"}},
		{name: "no factors: the noise of the baseline", reference: "baseline", src: "baseline: {a: 2}\ndesign: one-factor", arms: []string{"baseline: a=2 | "}},
		{name: "quoted level", reference: "baseline", src: "factors: {a: [x, 'y z', 'a=b', true]}\ndesign: one-factor", arms: []string{
			"baseline: a=x | ", `a="y z": a=y z | a x>y z`, `a="a=b": a=a=b | a x>a=b`, "a=true: a=true | a x>true"}},
		{name: "one-factor, nested", reference: "baseline", src: nested + "design: one-factor", arms: []string{
			"baseline: mixup=0.15 mosaic=1 z=9 | ",
			"mosaic=0: mixup=0.15 mosaic=0 z=9 | mosaic 1>0",
			"mixup=0: mixup=0 mosaic=1 z=9 | mixup 0.15>0"},
			notes: []string{"mixup has no effect in mosaic=0: it requires mosaic=1"}},
		{name: "one-factor, requirement never met", reference: "baseline", src: nested + "design: one-factor", set: []string{"baseline.mosaic=0"}, arms: []string{
			"baseline: mixup=0.15 mosaic=0 z=9 | ",
			"mosaic=1: mixup=0.15 mosaic=1 z=9 | mosaic 0>1"},
			notes: []string{"mixup=0 is not run: it trains the same as baseline (mixup requires mosaic=1)", "mixup has no effect in baseline: it requires mosaic=1"}},

		{name: "leave-one-out", reference: "full", src: "factors: {a: [1, 2, 3], b: [4, 5], c: [6, 7]}\ndesign: leave-one-out", arms: []string{
			"full: a=3 b=5 c=7 | ",
			"without a: a=1 b=5 c=7 | a 3>1",
			"without b: a=3 b=4 c=7 | b 5>4",
			"without c: a=3 b=5 c=6 | c 7>6",
			"baseline: a=1 b=4 c=6 | a 3>1, b 5>4, c 7>6"}},
		{name: "leave-one-out, baseline last", reference: "full", src: "baseline: {a: 3}\nfactors: {a: [1, 2, 3], b: [4, 5]}\ndesign: leave-one-out", arms: []string{
			"full: a=2 b=5 | ", "without a: a=3 b=5 | a 2>3", "without b: a=2 b=4 | b 5>4", "baseline: a=3 b=4 | a 2>3, b 5>4"}},
		{name: "leave-one-out, nested", reference: "full",
			src: "factors: {mosaic: [0, 1], mixup: {levels: [0, 0.15], requires: {mosaic: 1}}, c: [6, 7]}\ndesign: leave-one-out", arms: []string{
				"full: c=7 mixup=0.15 mosaic=1 | ",
				"without mosaic: c=7 mixup=0.15 mosaic=0 | mosaic 1>0",
				"without mixup: c=7 mixup=0 mosaic=1 | mixup 0.15>0",
				"without c: c=6 mixup=0.15 mosaic=1 | c 7>6",
				"baseline: c=6 mixup=0 mosaic=0 | mosaic 1>0, mixup 0.15>0, c 7>6"},
			notes: []string{"mixup has no effect in without mosaic, baseline: it requires mosaic=1"}},
		{name: "leave-one-out, dead in the full configuration", reference: "full",
			src: "factors: {mosaic: [1, 0], mixup: {levels: [0, 0.15], requires: {mosaic: 1}}}\ndesign: leave-one-out", arms: []string{
				"full: mixup=0.15 mosaic=0 | ",
				"without mosaic: mixup=0.15 mosaic=1 | mosaic 0>1",
				"baseline: mixup=0 mosaic=1 | mosaic 0>1, mixup 0.15>0"},
			notes: []string{"without mixup is not run: it trains the same as full", "mixup has no effect in full: it requires mosaic=1"}},

		{name: "factorial", reference: "baseline", src: "factors: {a: [1, 2], b: [3, 4]}\ndesign: factorial", arms: []string{
			"baseline: a=1 b=3 | ", "b=4: a=1 b=4 | b 3>4", "a=2: a=2 b=3 | a 1>2", "a=2 b=4: a=2 b=4 | a 1>2, b 3>4"}},
		{name: "factorial, nested", reference: "baseline", src: nested + "design: factorial", arms: []string{
			"baseline: mixup=0.15 mosaic=1 z=9 | ",
			"mixup=0: mixup=0 mosaic=1 z=9 | mixup 0.15>0",
			"mosaic=0: mixup=0.15 mosaic=0 z=9 | mosaic 1>0"},
			notes: []string{"mixup changes nothing without mosaic=1: 1 combination merged with others", "mixup has no effect in mosaic=0: it requires mosaic=1"}},
		{name: "factorial, nested, baseline last", reference: "baseline",
			src: "baseline: {m: 0.15}\nfactors: {mosaic: [1, 0], m: {levels: [0, 0.15], requires: {mosaic: 1}}}\ndesign: factorial", arms: []string{
				"baseline: m=0.15 mosaic=1 | ", "m=0: m=0 mosaic=1 | m 0.15>0", "mosaic=0: m=0.15 mosaic=0 | mosaic 1>0"},
			notes: []string{"m changes nothing without mosaic=1: 1 combination merged with others", "m has no effect in mosaic=0: it requires mosaic=1"}},
		{name: "factorial, chain", reference: "baseline",
			src: "factors: {a: [1, 0], b: {levels: [1, 0], requires: {a: 1}}, c: {levels: [5, 6], requires: {b: 1}}}\ndesign: factorial", arms: []string{
				"baseline: a=1 b=1 c=5 | ", "c=6: a=1 b=1 c=6 | c 5>6", "b=0: a=1 b=0 c=5 | b 1>0", "a=0: a=0 b=1 c=5 | a 1>0"},
			notes: []string{"c changes nothing without b=1: 3 combinations merged with others", "b changes nothing without a=1: 2 combinations merged with others",
				"b has no effect in a=0: it requires a=1", "c has no effect in b=0, a=0: it requires b=1"}},
		{name: "grid", src: "factors: {a: [1, 2], b: [3, 4]}\ndesign: grid", arms: []string{
			"a=1 b=3: a=1 b=3 | ", "a=1 b=4: a=1 b=4 | b 3>4", "a=2 b=3: a=2 b=3 | a 1>2", "a=2 b=4: a=2 b=4 | a 1>2, b 3>4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := points(t, head+c.src+"\n", c.set...)
			if diff := cmp.Diff(c.arms, arms(p)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.notes, p.Notes); diff != "" {
				t.Error(diff)
			}
			if p.Reference != c.reference {
				t.Errorf("reference %q, want %q", p.Reference, c.reference)
			}
			if p.Reference != "" && p.Arms[0].Name != p.Reference {
				t.Errorf("the first arm is %q", p.Arms[0].Name)
			}
		})
	}
}

// Replicate by replicate, then data set, then arm; seeds paired over arms and data sets.
func TestOrderAndPairing(t *testing.T) {
	p := points(t, head+"factors: {a: [1, 2]}\ndesign: one-factor\nreplicates: 2\nseed: 5\n", "trainer.data=[x, y]")
	var got []string
	for _, pt := range p.Points {
		got = append(got, fmt.Sprintf("%s|%s|%d|%s|%d", pt.Key, pt.Arm, pt.Replicate, pt.Data, pt.Block))
		if pt.Seed != design.Seed(5, pt.Replicate) {
			t.Errorf("%s has seed %d", pt.Key, pt.Seed)
		}
		if a, _ := p.Arm(pt.Arm); a.Params.Key() != pt.Params.Key() {
			t.Errorf("%s trains %s", pt.Key, pt.Params.Key())
		}
	}
	want := []string{
		"baseline r0 x|baseline|0|x|0", "a=2 r0 x|a=2|0|x|0", "baseline r0 y|baseline|0|y|1", "a=2 r0 y|a=2|0|y|1",
		"baseline r1 x|baseline|1|x|0", "a=2 r1 x|a=2|1|x|0", "baseline r1 y|baseline|1|y|1", "a=2 r1 y|a=2|1|y|1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]design.Count{{Factor: "a", Levels: []any{int64(1), int64(2)}, Arms: 1, Trials: 4}}, p.Counts); diff != "" {
		t.Error(diff)
	}
}

// Extending a study keeps every point: same key, same parameters, same seed.
func TestExtensionKeepsPoints(t *testing.T) {
	for _, d := range []string{"one-factor", "factorial", "grid"} {
		src := head + "baseline: {mosaic: 1}\nfactors: {mosaic: [1, 0], m: {levels: [1, 2], requires: {mosaic: 1}}, b: [x, y]}\nreplicates: 2\ndesign: " + d + "\n"
		small := points(t, src)
		large := points(t, src, "replicates=4", "factors.m.levels=[1, 2, 3]", "factors.b=[x, y, z]")
		byKey := map[string]design.Point{}
		for _, p := range large.Points {
			if _, twice := byKey[p.Key]; twice {
				t.Errorf("%s: key %q twice", d, p.Key)
			}
			byKey[p.Key] = p
		}
		for _, p := range small.Points {
			q := byKey[p.Key]
			if q.Params.Key() != p.Params.Key() || q.Seed != p.Seed || q.Arm != p.Arm {
				t.Errorf("%s: %q became %+v", d, p.Key, q)
			}
		}
		if len(large.Points) <= len(small.Points) {
			t.Errorf("%s: %d points became %d", d, len(small.Points), len(large.Points))
		}
	}
}

// No two arms of a design train the same thing.
func TestNoDuplicates(t *testing.T) {
	src := head + "factors: {a: [1, 0, 0.5], b: {levels: [1, 2], requires: {a: 1}}, c: {levels: [x, y], requires: {b: 2}}, d: [4, 5]}\ndesign: factorial\n"
	p := points(t, src)
	seen := map[string]string{}
	for _, a := range p.Arms {
		q := a.Params.Clone()
		for _, f := range []string{"b", "c", "b", "c"} { // what does not matter is wiped
			if f == "b" && !q.Meets(trials.Params{"a": 1.0}) || f == "c" && !q.Meets(trials.Params{"b": 2.0}) {
				q[f] = "-"
			}
		}
		if other, dup := seen[q.Key()]; dup {
			t.Errorf("%s trains the same as %s", a.Name, other)
		}
		seen[q.Key()] = a.Name
	}
}

func TestSearchHasNoPoints(t *testing.T) {
	spec, err := studies.Parse([]byte(head+"factors: {a: [1, 2]}\ndesign: search\nsearch: {trials: 3}\n"), studies.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := design.Points(spec); !errors.Is(err, design.ErrSearch) {
		t.Errorf("error %v", err)
	}
	spec.Design = "spiral"
	if _, err := design.Points(spec); err == nil || errors.Is(err, design.ErrSearch) {
		t.Errorf("error %v", err)
	}
}

// The seeds are part of the file format: stored studies rely on them.
func TestSeed(t *testing.T) {
	want := map[[2]int64]int64{{0, 0}: 1063198246, {0, 1}: 190227739}
	for k, w := range want {
		if got := design.Seed(k[0], int(k[1])); got != w {
			t.Errorf("Seed(%d, %d) = %d, want %d", k[0], k[1], got, w)
		}
	}
	for _, study := range []int64{0, 1, 2, 1 << 40, -3} {
		seen := map[int64]bool{}
		for r := range 20000 {
			s := design.Seed(study, r)
			if s < 1 || s > 1<<31-1 || seen[s] {
				t.Fatalf("Seed(%d, %d) = %d is out of range or there twice", study, r, s)
			}
			seen[s] = true
		}
	}
	if design.Seed(0, 0) == design.Seed(1, 0) {
		t.Error("two studies have the same seeds")
	}
}

func TestQuickstart(t *testing.T) {
	s, err := shipped.Open("quickstart")
	if err != nil {
		t.Fatal(err)
	}
	p := points(t, string(s.Files[studies.BackendNative]))
	var names []string
	for _, a := range p.Arms {
		names = append(names, a.Name)
	}
	if diff := cmp.Diff([]string{"baseline", "mosaic=0", "mixup=0", "copy_paste=0", "autoaugment=randaugment"}, names); diff != "" {
		t.Error(diff)
	}
	if len(p.Points) != 25 {
		t.Errorf("%d points, want 25", len(p.Points))
	}
	if a, _ := p.Arm("mosaic=0"); a.Params["mixup"] != 0.15 {
		t.Errorf("mosaic=0 has mixup %v", a.Params["mixup"])
	}
	if diff := cmp.Diff([]string{"mixup has no effect in mosaic=0: it requires mosaic=1"}, p.Notes); diff != "" {
		t.Error(diff)
	}
}
