package images_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference/images"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

func TestParseMetric(t *testing.T) {
	classes := []string{"car", "a+b", "c@d", "small"}
	target := func(area, first, last int, classes ...int) evaluate.Target {
		return evaluate.Target{Area: area, First: first, Last: last, Classes: classes}
	}
	for name, want := range map[string]images.Metric{
		"mAP50-95":                    {Target: target(evaluate.AreaAll, 0, 9)},
		"coco/mAP50":                  {Target: target(evaluate.AreaAll, 0, 0)},
		"mAP75@large":                 {Target: target(evaluate.AreaLarge, 5, 5)},
		"mAP-medium@dense":            {Target: target(evaluate.AreaMedium, 0, 9), Dense: true},
		"AP/car":                      {Target: target(evaluate.AreaAll, 0, 9, 0)},
		"AP/car@small+dense":          {Target: target(evaluate.AreaSmall, 0, 9, 0), Dense: true},
		"mAP50@small+class:small":     {Target: target(evaluate.AreaSmall, 0, 0, 3)},
		"coco/mAP50@dense+small":      {Target: target(evaluate.AreaSmall, 0, 0), Dense: true},
		"mAP50@dense+small+class:a+b": {Target: target(evaluate.AreaSmall, 0, 0, 1), Dense: true},
		"mAP50-95@class:c@d":          {Target: target(evaluate.AreaAll, 0, 9, 2)},
		"coco/AP/car@medium":          {Target: target(evaluate.AreaMedium, 0, 9, 0)},
		"coco/mAP-small@dense":        {Target: target(evaluate.AreaSmall, 0, 9), Dense: true},
	} {
		m, err := images.ParseMetric(name, classes)
		if len(want.Target.Classes) == 0 {
			want.Target.Classes = nil
		}
		if err != nil || !reflect.DeepEqual(m, want) {
			t.Errorf("%s: %+v, %v, want %+v", name, m, err, want)
		}
	}
	for name, want := range map[string]string{
		"loss/box": "known are", "": "known are", "mAP": "known are", "AR100": "known are", "mAP50@": "after @", "mAP50@tiny": `"tiny" is no part`,
		"mAP-small@large": "two sizes", "mAP50@class:bus": `no class "bus"; it has car`, "AP/cat": `no class "cat"; did you mean "car"?`, "AP/": `no class ""`, "AP/car@class:small": "two classes",
	} {
		if _, err := images.ParseMetric(name, classes); !errors.Is(err, images.ErrMetric) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// A metric scores what the subset scores.
func TestMetricScore(t *testing.T) {
	m := world{images: 40, own: 1}.arms(rand.New(rand.NewPCG(5, 1)), 2)[0].Runs[0]
	dense := m.Dense(studies.DenseQuantile)
	for name, want := range map[string]float64{
		"mAP50-95": m.Score(evaluate.Subset{}).AP, "mAP75": m.Score(evaluate.Subset{}).AP75, "mAP-medium": m.Score(evaluate.Subset{}).APMedium,
		"AP/b": m.Score(evaluate.Subset{Classes: []int{1}}).AP, "mAP50@dense+class:a": m.Score(evaluate.Subset{Classes: []int{0}, Images: dense}).AP50,
	} {
		p, err := images.ParseMetric(name, m.Classes)
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := p.Score(m); !ok || math.Abs(v-want) > 1e-12 || v == 1 {
			t.Errorf("%s: %v, %v, want %v", name, v, ok, want)
		}
	}
	small, _ := images.ParseMetric("mAP-small", nil)
	if v, ok := small.Score(m); ok {
		t.Errorf("small objects, of which there are none, score %v", v)
	}
}
