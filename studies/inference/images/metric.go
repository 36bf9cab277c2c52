package images

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

// Metric is an average precision that matches give: of a size, some thresholds and classes, on all pictures or the
// dense ones.
type Metric struct {
	Target evaluate.Target
	Dense  bool // on pictures with many objects only (studies.DenseQuantile)
}

// ErrMetric is wrapped by the errors of ParseMetric: the name is none that matches can give.
var ErrMetric = errors.New("no metric of matches")

// bases are the metrics before "@".
var bases = map[string]evaluate.Target{
	"mAP50-95":   {Area: evaluate.AreaAll, First: 0, Last: 9},
	"mAP50":      {Area: evaluate.AreaAll, First: 0, Last: 0},
	"mAP75":      {Area: evaluate.AreaAll, First: 5, Last: 5},
	"mAP-small":  {Area: evaluate.AreaSmall, First: 0, Last: 9},
	"mAP-medium": {Area: evaluate.AreaMedium, First: 0, Last: 9},
	"mAP-large":  {Area: evaluate.AreaLarge, First: 0, Last: 9},
}

// areas are the sizes of a part.
var areas = map[string]int{"small": evaluate.AreaSmall, "medium": evaluate.AreaMedium, "large": evaluate.AreaLarge}

// ParseMetric reads the name of a metric: mAP50-95, mAP50, mAP75, mAP-small, mAP-medium, mAP-large or AP/CLASS, perhaps
// after "coco/", and perhaps of a part (studies.CutMetric): "mAP50@small+dense", "AP/car@dense", "mAP75@class:car". The
// class must be one of classes. An error wraps ErrMetric.
func ParseMetric(name string, classes []string) (Metric, error) {
	fail := func(format string, args ...any) (Metric, error) {
		return Metric{}, fmt.Errorf("%s: %w: "+format, append([]any{name, ErrMetric}, args...)...)
	}
	base, part, err := studies.CutMetric(strings.TrimPrefix(name, "coco/"))
	if err != nil {
		return fail("%w", err)
	}
	class := part.Class
	of, one := strings.CutPrefix(base, "AP/")
	if one {
		base, class = "mAP50-95", of
	}
	t, known := bases[base]
	switch {
	case !known:
		return fail("known are mAP50-95, mAP50, mAP75, mAP-small, mAP-medium, mAP-large and AP/CLASS")
	case part.Area != "" && t.Area != evaluate.AreaAll:
		return fail("it names two sizes of objects")
	case one && part.Class != "":
		return fail("it names two classes")
	case part.Area != "":
		t.Area = areas[part.Area]
	}
	if one || class != "" {
		k := slices.Index(classes, class)
		if k < 0 {
			hint := ""
			if near := studies.Nearest(class, classes); near != "" {
				hint = fmt.Sprintf("; did you mean %q?", near)
			}
			return fail("the data set has no class %q%s; it has %s", class, hint, strings.Join(classes, ", "))
		}
		t.Classes = []int{k}
	}
	return Metric{Target: t, Dense: part.Dense}, nil
}

// Pictures says which pictures the metric is of; nil: all.
func (m Metric) Pictures(of *evaluate.Matches) []bool {
	if !m.Dense {
		return nil
	}
	return of.Dense(studies.DenseQuantile)
}

// Score is the metric of one run; false where no object counts.
func (m Metric) Score(of *evaluate.Matches) (float64, bool) {
	counts, in := make([]int, of.Images), m.Pictures(of)
	for i := range counts {
		if in == nil || in[i] {
			counts[i] = 1
		}
	}
	d := of.NewDraw(m.Target)
	d.Set(counts)
	ap := of.NewWalk(m.Target).AP(d)
	return ap, ap != evaluate.Undefined
}
