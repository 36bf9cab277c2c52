package tuned

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/trials"
)

// Child is one tuning of one variant on one data set.
type Child struct {
	trials.TuningOf
	Arm  design.Arm
	Spec studies.Spec // of the search; without factors there is nothing to tune in this variant
}

// Children are the tunings of a study in the order in which they run: tuning by tuning, so that a study that is
// stopped early has the same tunings of all variants.
func Children(spec studies.Spec, plan design.Plan) []Child {
	data := spec.Trainer.Data
	if len(data) == 0 {
		data = []string{""}
	}
	var list []Child
	for r := range spec.Tune.Repeats {
		for _, d := range data {
			for _, a := range plan.Arms {
				of := trials.TuningOf{Study: spec.Name, Arm: a.Name, Tuning: r, Data: d}
				list = append(list, Child{TuningOf: of, Arm: a, Spec: search(spec, a, of)})
			}
		}
	}
	name(list, len(data) > 1)
	return list
}

// search is a tuning as a study: what varies are the tuned knobs that matter in the arm, all else is the arm's.
func search(spec studies.Spec, arm design.Arm, of trials.TuningOf) studies.Spec {
	t := *spec.Tune
	c := spec.Tuning()
	c.Description = fmt.Sprintf("Tuning %d of %s, a part of study %s", of.Tuning, of.Arm, of.Study)
	if of.Data != "" {
		c.Trainer.Data = []string{of.Data}
	}
	c.Baseline, c.Factors = arm.Params.Clone(), t.Active(arm.Params)
	c.Search = &studies.Search{Sampler: t.Sampler, Trials: t.Trials, Pruner: t.Pruner}
	c.Settle, c.Tune, c.Rules = nil, nil, studies.Rules{}
	c.Seed = design.TuningSeed(spec.Seed, of.Tuning)
	c.Budget.DeviceHours = t.DeviceHours
	return c
}

// longest is how long the name of a study may be.
const longest = 64

var notInNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// name gives every tuning a name of its own that says what it belongs to: STUDY.tune-ARM-TUNING. Names are the same
// in every run; a hash stands in where the arm's name is too long, or is another arm's once it is made fit for a folder.
func name(list []Child, withData bool) {
	taken := map[string]bool{}
	for i := range list {
		c := &list[i]
		arm := c.TuningOf.Arm
		if withData {
			arm += " " + c.Data
		}
		c.Spec.Name = compose(c.Study, slug(arm), c.Tuning)
		if taken[c.Spec.Name] || len(c.Spec.Name) > longest {
			c.Spec.Name = compose(abbreviate(c.Study, 36), abbreviate(slug(arm), 8)+"-"+hash(arm), c.Tuning)
		}
		taken[c.Spec.Name] = true
	}
}

func compose(study, arm string, tuning int) string {
	return fmt.Sprintf("%s.tune-%s-%d", study, arm, tuning)
}

// slug makes a text fit for a folder: mosaic=0 becomes mosaic-0.
func slug(text string) string { return strings.Trim(notInNames.ReplaceAllString(text, "-"), "-") }

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// abbreviate keeps n characters of a text, the last nine of them a dash and its hash if it is longer.
func abbreviate(text string, n int) string {
	if len(text) <= n {
		return text
	}
	if n < 10 {
		return text[:n]
	}
	return text[:n-9] + "-" + hash(text)
}
