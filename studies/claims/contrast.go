package claims

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/trials"
)

// MostReplicates of a check, unless it is told otherwise.
const MostReplicates = 12

// Comparison is a pair as two arms of the study that checks it.
type Comparison struct {
	Pair
	FromArm, ToArm string
}

// Comparisons are the pairs with their arms. The baseline is From; of a claim in steps it is the setting in the middle,
// so that both of its neighbours are compared with it.
func (c Claim) Comparisons(backend string) []Comparison {
	pairs := c.Pairs(backend)
	name := armNames(len(pairs) + 1)
	out := make([]Comparison, len(pairs))
	for i, p := range pairs {
		out[i] = Comparison{p, name[i], name[i+1]}
	}
	return out
}

// armNames are the arms of n settings in order.
func armNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		switch i {
		case (n - 1) / 2:
			names[i] = design.Baseline
		case 0:
			names[i] = "from"
		case n - 1:
			names[i] = "to"
		default:
			names[i] = "via-" + strconv.Itoa(i)
		}
	}
	return names
}

// armSettings are the arms' knobs by name, without what is required of all.
func (c Claim) armSettings(backend string) (baseline trials.Params, variants []studies.Variant) {
	cs := c.Comparisons(backend)
	add := func(name string, p trials.Params) {
		if name == design.Baseline {
			baseline = p
			return
		}
		variants = append(variants, studies.Variant{Name: name, Params: p})
	}
	add(cs[0].FromArm, cs[0].From)
	for _, k := range cs {
		add(k.ToArm, k.To)
	}
	return baseline, variants
}

// required is what holds in every arm.
func (c Claim) required(backend string) trials.Params {
	p := c.Requires.Clone()
	if backend == studies.BackendYOLOv9 {
		p = p.With(c.Official.Needs)
	}
	return p
}

// Objective is the metric of a check: the claim's, restricted to its part of objects and pictures. The official
// trainer scores parts by COCO only.
func (c Claim) Objective(backend string) string {
	part, err := c.Scene.Part()
	if err != nil || part == (studies.Part{}) {
		return c.Metric
	}
	base := c.Metric
	if backend == studies.BackendYOLOv9 && !strings.HasPrefix(base, "coco/") {
		base = "coco/" + base
	}
	return part.Metric(base)
}

// settles says whether replicates are added until the claim is settled: every pair has the baseline on one side.
// Of claims with more than three settings all replicates run.
func (c Claim) settles() bool { return len(c.Contrast.Via) <= 1 }

// margin is that of the study: in the metric's stored unit; ratios have none.
func (c Claim) margin() float64 {
	if c.Unit == Ratio {
		return 0
	}
	return c.Margin / 100
}

// Overrides turn a study file into the study that checks the claim, as studies.Options.Set takes them: its arms, its
// metric, and replicates until settled. The trainer, data and all other knobs stay those of the file.
func (c Claim) Overrides(name, backend string) []string {
	baseline, variants := c.armSettings(backend)
	var list []string
	set := func(path string, v any) { list = append(list, path+"="+written(v)) }
	set("name", name)
	set("description", "Check of the published claim "+c.ID+": "+c.Advice)
	set("factors", map[string]any{})
	set("design", studies.DesignVariants)
	all := baseline.With(c.required(backend))
	for _, knob := range all.Names() {
		set("baseline."+knob, all[knob])
	}
	by := map[string]trials.Params{}
	for _, v := range variants {
		by[v.Name] = v.Params
	}
	set("variants", by)
	metric := c.Objective(backend)
	set("objective.metric", metric)
	set("objective.direction", strings.ToLower(string(c.Direction)))
	if metric != c.Metric {
		set("store_matches", true)
		if backend == studies.BackendYOLOv9 {
			set("trainer.coco", true)
		}
	}
	replicates := map[string]any{"margin": c.margin(), "alpha": c.Alpha}
	if c.settles() {
		replicates["until"], replicates["max"] = "settled", MostReplicates
	} else {
		replicates["count"] = MostReplicates
	}
	set("replicates", replicates)
	return list
}

// written is a value as JSON, which is YAML.
func written(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("claims: " + err.Error()) // finite numbers, texts and truth values only: Parse saw to it
	}
	return string(text)
}

// Fits says whether a study checks the claim as it stands: nothing that decides the outcome is another. Data, length,
// number of replicates and, until settled, the rule are the user's.
func (c Claim) Fits(s studies.Spec) error {
	backend := s.Trainer.Backend
	baseline, variants := c.armSettings(backend)
	var wrong []error
	same := func(what string, have, want any) {
		if !trials.SameValue(have, want) {
			wrong = append(wrong, fmt.Errorf("%s is %s, the claim has %s", what, trials.FormatValue(have), trials.FormatValue(want)))
		}
	}
	params := func(at string, have, want trials.Params) {
		for _, name := range want.Names() {
			same(at+"."+name, have[name], want[name])
		}
	}
	same("design", s.Design, studies.DesignVariants)
	params("baseline", s.Baseline, baseline.With(c.required(backend)))
	for _, v := range variants {
		var have trials.Params
		for _, w := range s.Variants {
			if w.Name == v.Name {
				have = w.Params
			}
		}
		params("variants."+v.Name, have, v.Params)
		same("knobs of variant "+v.Name, int64(len(have)), int64(len(v.Params)))
	}
	same("the number of variants", int64(len(s.Variants)), int64(len(variants)))
	same("objective.metric", s.Objective.Metric, c.Objective(backend))
	same("objective.direction", string(s.Objective.Direction), string(c.Direction))
	same("replicates.margin", s.Margin(), c.margin())
	same("replicates.alpha", s.Rules.Level(), c.Alpha)
	switch settles := c.settles(); {
	case settles && s.Settle == nil:
		wrong = append(wrong, errors.New("replicates has a fixed number, the claim has until: settled; replicates.max is free"))
	case !settles && s.Settle != nil:
		wrong = append(wrong, errors.New("replicates.until is settled, a claim of more than three settings has a fixed number: not each of its pairs has the baseline on one side"))
	}
	if n := len(s.Trainer.Data); n > 1 {
		wrong = append(wrong, fmt.Errorf("trainer.data has %d data sets: a claim is checked on one; check it once for each, with --as", n))
	}
	return errors.Join(wrong...)
}
