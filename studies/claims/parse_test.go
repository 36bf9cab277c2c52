package claims_test

import (
	"os"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies/claims"
)

const good = `source: {title: t, published: p}
claims:
  - id: a
    advice: do it
    from: {x: 1}
    to: {x: 2}
    metric: m
    unit: points
    expected: [1, 2]
    scene: {words: any}
    margin: 0.2
    alpha: 0.05
    official: {judgement: "true", fact: f, lever: l}
    study: s
`

func TestParse(t *testing.T) {
	all, err := claims.Parse([]byte(good), "f")
	if err != nil || len(all) != 1 || all[0].Contrast.To["x"] != 2.0 || all[0].Figure() != "+1.0 to +2.0 points" {
		t.Fatalf("%+v, %v", all, err)
	}
	// One value is one value, however it is written.
	again, err := claims.Parse([]byte(strings.Replace(good, "from: {x: 1}", "from: {x: 1.0}", 1)), "f")
	if err != nil || again[0].Hash() != all[0].Hash() {
		t.Errorf("1 and 1.0 are two claims: %v", err)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"advice:", "advise:", "advise"},
		{"    metric: m\n", "    metric: m\n    metric: n\n", "metric"},
		{"id: a", "id: A b", `id "A b"`},
		{"advice: do it", "advice: ''", "advice is missing"},
		{"from: {x: 1}", "from: {}", "from names no knob"},
		{"from: {x: 1}", "from: {y: 1}", "do not name the same knobs"},
		{"from: {x: 1}", "from: {x: 2.0}", "settings 1 and 2 are the same"},
		{"from: {x: 1}", "from: {x: [1]}", "from: x is no text, number or truth value"},
		{"from: {x: 1}", "from: {x: .inf}", "x is not finite"},
		{"metric: m", "metric: ''", "metric is missing"},
		{"unit: points", "unit: percent", `unit "percent"`},
		{"unit: points", "unit: points\n    direction: up", `direction is "up"`},
		{"[1, 2]", "[1]", "expected is [low, high]"},
		{"[1, 2]", "[2, 1]", "is no interval"},
		{"[1, 2]", "[-2, -1]", "the other way round"},
		{"[1, 2]", "[1, 2]\n    direction: minimize", "the other way round"},
		{"[1, 2]", "[1, 2]\n    reported: [{value: 5}]", "1 scores for 2 settings"},
		{"[1, 2]", "[1, 2]\n    reported: [{value: 5}, {value: 9}]", "differ by 4"},
		{"[1, 2]", "[1, 2]\n    reported: [{value: 5}, {spread: 1}]", "a score has no value"},
		{"[1, 2]", "[1, 2]\n    reported: [{value: 5, spread: 0}, {value: 6}]", "a spread is above 0"},
		{"[1, 2]", "[1, 2]\n    via: [{x: 3}]", "a claim in steps has reported scores"},
		{"[1, 2]", "[1, 2]\n    requires: {x: 1}", "x is both required and compared"},
		{"[1, 2]", "[1, 2]\n    native: {from: {z: 1}, to: {w: 2}}", "native: from, via and to"},
		{"words: any", "words: any, subset: [tiny]", `scene.subset "tiny"`},
		{"words: any", "words: any, setting: {bacth: 3}", "scene.setting.bacth"},
		{"words: any", "words: any, conditions: [{measure: width, above: 3}]", `no measure "width"`},
		{"words: any", "words: any, conditions: [{measure: gap}]", "gap has no bound"},
		{"words: any", "words: any, conditions: [{measure: gap, above: 1, at_least: 1}]", "two bounds on one side"},
		{"words: any", "words: any, conditions: [{measure: gap, above: 3, below: 2}]", "can never hold"},
		{"margin: 0.2", "margin: 0", "margin 0: above 0"},
		{"alpha: 0.05", "alpha: 1", "alpha 1: between 0 and 1"},
		{`judgement: "true"`, "judgement: maybe", `official.judgement "maybe"`},
		{"fact: f", "fact: ''", "official.fact is missing"},
		{"published: p", "published: ''", "source lacks"},
		{good[strings.Index(good, "claims:"):], "claims: []\n", "there is no claim"},
		{"study: s\n", "study: s\n" + good[strings.Index(good, "  - id"):], "claim 2 (a): id is there twice"},
	} {
		src := strings.Replace(good, c.old, c.new, 1)
		if src == good {
			t.Fatalf("%q is not in the file", c.old)
		}
		if _, err := claims.Parse([]byte(src), "f.yaml"); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "f.yaml") {
			t.Errorf("%s: error %v, want %q", c.new, err, c.want)
		}
	}
	// All at once.
	src := strings.NewReplacer("margin: 0.2", "margin: -1", "alpha: 0.05", "alpha: 2", "study: s", "study: ''").Replace(good)
	_, err := claims.Parse([]byte(src), "f.yaml")
	for _, want := range []string{"margin -1", "alpha 2", "study is missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
	if _, err := claims.Parse(make([]byte, 1<<20), "f.yaml"); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a file of a megabyte: %v", err)
	}
}

// Whatever the file is, Parse neither panics nor lets a claim through that cannot be hashed or shown.
func FuzzParse(f *testing.F) {
	article, err := os.ReadFile("tuning-article.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(article)
	f.Add([]byte(good))
	f.Add([]byte("claims: [{from: {a: .nan}, expected: [.inf, .inf], reported: [{value: -.inf}]}]"))
	f.Add([]byte("&a [*a]"))
	f.Fuzz(func(t *testing.T, src []byte) {
		all, err := claims.Parse(src, "fuzz")
		if err != nil {
			return
		}
		for _, c := range all {
			if len(c.Hash()) != 64 || c.Figure() == "" || len(c.Pairs("native")) != len(c.Pairs("yolov9")) {
				t.Errorf("%+v", c)
			}
		}
	})
}
