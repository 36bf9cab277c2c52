package claims

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// Scene is the data and the setting that a claim speaks of.
type Scene struct {
	Words      string        `json:"words"`
	Setting    trials.Params `json:"setting,omitempty"`    // as published: train_images, classes, epochs, batch ...
	Conditions []Condition   `json:"conditions,omitempty"` // where the claim is meant to hold
	Subset     []Subset      `json:"subset,omitempty"`     // objects and pictures that it is about; none: all
}

// settings that a scene may state.
var sceneSettings = []string{"data", "train_images", "classes", "model", "gpus", "device", "batch", "image_size", "workers", "min_items", "epochs"}

// Subset is a part of the objects or pictures. One of a class is written "class:NAME".
type Subset string

// The subsets. Of Small, Medium and Large a claim has one at most.
const (
	Small  Subset = "small"  // objects under 32 x 32 pixels after resizing, as COCO counts
	Medium Subset = "medium" // from there to 96 x 96
	Large  Subset = "large"  // above
	Dense  Subset = "dense"  // pictures with at least as many objects as four fifths of the pictures have
)

// Part is what the subsets restrict a metric to, together.
func (s Scene) Part() (studies.Part, error) {
	var p studies.Part
	for _, w := range s.Subset {
		class, isClass := strings.CutPrefix(string(w), "class:")
		switch area := slices.Contains(studies.Areas, string(w)); {
		case area && p.Area == "":
			p.Area = string(w)
		case w == Dense && !p.Dense:
			p.Dense = true
		case isClass && class != "" && p.Class == "":
			p.Class = class
		default:
			return p, fmt.Errorf("scene.subset %q: one of small, medium and large, dense, class:NAME", w)
		}
	}
	return p, nil
}

// Measure is something about a data set or a baseline that a condition bounds.
type Measure string

// The measures.
const (
	TrainImages Measure = "train-images"
	ValImages   Measure = "val-images"
	GPUs        Measure = "gpus"
	Gap         Measure = "gap" // mAP50 minus mAP50-95 of the baseline, in points
)

var measures = map[Measure]string{
	TrainImages: "training pictures",
	ValImages:   "validation pictures",
	GPUs:        "GPUs in one trial",
	Gap:         "points between mAP50 and mAP50-95 of the baseline",
}

// Condition bounds a measure; bounds that are nil do not.
type Condition struct {
	Measure Measure  `json:"measure"`
	AtLeast *float64 `json:"at_least,omitempty"`
	AtMost  *float64 `json:"at_most,omitempty"`
	Above   *float64 `json:"above,omitempty"`
	Below   *float64 `json:"below,omitempty"`
}

// Holds says whether a value of the measure meets the condition. NaN meets none.
func (c Condition) Holds(x float64) bool {
	return x == x &&
		(c.AtLeast == nil || x >= *c.AtLeast) && (c.AtMost == nil || x <= *c.AtMost) &&
		(c.Above == nil || x > *c.Above) && (c.Below == nil || x < *c.Below)
}

// String is the condition in words: "at least 1000 and at most 5000 training pictures".
func (c Condition) String() string {
	var parts []string
	for _, b := range []struct {
		word  string
		bound *float64
	}{{"at least", c.AtLeast}, {"above", c.Above}, {"at most", c.AtMost}, {"below", c.Below}} {
		if b.bound != nil {
			parts = append(parts, b.word+" "+trials.FormatValue(*b.bound))
		}
	}
	return strings.Join(parts, " and ") + " " + measures[c.Measure]
}

func (c Condition) check() error {
	if _, ok := measures[c.Measure]; !ok {
		return fmt.Errorf("scene.conditions: no measure %q", c.Measure)
	}
	low, high := c.AtLeast, c.AtMost
	if c.Above != nil {
		low = c.Above
	}
	if c.Below != nil {
		high = c.Below
	}
	switch {
	case low == nil && high == nil:
		return fmt.Errorf("scene.conditions: %s has no bound", c.Measure)
	case c.AtLeast != nil && c.Above != nil, c.AtMost != nil && c.Below != nil:
		return fmt.Errorf("scene.conditions: %s has two bounds on one side", c.Measure)
	case low != nil && high != nil && *low > *high:
		return fmt.Errorf("scene.conditions: %s can never hold", c)
	}
	return nil
}
