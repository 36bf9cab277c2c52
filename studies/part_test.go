package studies_test

import (
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
)

func TestCutMetric(t *testing.T) {
	for _, c := range []struct {
		metric, base string
		part         studies.Part
		words        string
	}{
		{"mAP50", "mAP50", studies.Part{}, "objects"},
		{"mAP50@small", "mAP50", studies.Part{Area: "small"}, "small objects"},
		{"coco/mAP50-95@large+dense", "coco/mAP50-95", studies.Part{Area: "large", Dense: true}, "large objects in dense pictures"},
		{"mAP50@dense", "mAP50", studies.Part{Dense: true}, "objects in dense pictures"},
		{"mAP50@medium+dense+class:a+b@c", "mAP50", studies.Part{Area: "medium", Dense: true, Class: "a+b@c"}, "medium objects of class a+b@c in dense pictures"},
	} {
		base, part, err := studies.CutMetric(c.metric)
		if err != nil || base != c.base || part != c.part || part.String() != c.words {
			t.Errorf("%s: %q, %+v (%s), %v", c.metric, base, part, part, err)
		}
		if part.Metric(base) != c.metric {
			t.Errorf("%s is written %s", c.metric, part.Metric(base))
		}
		if !studies.IsFraction(c.metric) {
			t.Errorf("%s is no fraction", c.metric)
		}
	}
	for metric, want := range map[string]string{"mAP50@": "after @", "mAP50@tiny": `"tiny" is no part`, "mAP50@small+large": `"large" is no part`,
		"mAP50@dense+dense": "is no part", "mAP50@class:": "is no part", "mAP50@small+": "", "mAP50@+small": `"" is no part`} {
		if _, _, err := studies.CutMetric(metric); want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", metric, err, want)
		}
	}
}

// A metric of a part comes from the matches of the last epoch.
func TestPartObjective(t *testing.T) {
	for rest, want := range map[string]string{
		"objective: {metric: mAP50@small+dense}":                 "",
		"objective: {metric: mAP50@tiny}":                        `objective.metric: "tiny" is no part`,
		"objective: {metric: mAP50@small, epoch: best}":          "last epoch only",
		"objective: {metric: precision@small}":                   "mAP50-95, mAP50 or mAP75",
		"objective: {metric: mAP50@small}\nstore_matches: false": "store_matches",
	} {
		_, err := read(t, "design: one-factor\n"+rest)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", rest, err, want)
		}
	}
	const official = "name: a\ntrainer: {backend: yolov9, model: gelan-t, data: d.yaml, epochs: 2}\nfactors: {mixup: [0.15, 0]}\ndesign: one-factor\n"
	for rest, want := range map[string]string{
		"objective: {metric: mAP50@small}":      `"coco/mAP50@small"`,
		"objective: {metric: coco/mAP50@small}": "trainer.coco: true",
	} {
		if _, err := studies.Parse([]byte(official+rest), studies.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", rest, err, want)
		}
	}
	if _, err := studies.Parse([]byte(official+"objective: {metric: coco/mAP50@small}"), studies.Options{Set: []string{"trainer.coco=true"}}); err != nil {
		t.Error(err)
	}
}
