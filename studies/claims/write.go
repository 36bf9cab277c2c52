package claims

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// File is the claim as a file that Parse reads: the same claim, with the same hash.
func (c Claim) File() []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("source: {title: %s, published: %s}", written(c.Source.Title), written(c.Source.Published))
	line("")
	line("claims:")
	line("  - id: %s", c.ID)
	line("    advice: %s", written(c.Advice))
	contrast := func(k Contrast) string {
		s := "from: " + flow(k.From)
		for i, v := range k.Via {
			s += map[bool]string{true: ", via: [", false: ", "}[i == 0] + flow(v)
		}
		if len(k.Via) > 0 {
			s += "]"
		}
		return s + ", to: " + flow(k.To)
	}
	line("    from: %s", flow(c.Contrast.From))
	for i, v := range c.Contrast.Via {
		if i == 0 {
			line("    via:")
		}
		line("      - %s", flow(v))
	}
	line("    to: %s", flow(c.Contrast.To))
	if c.Native != nil {
		line("    native: {%s}", contrast(*c.Native))
	}
	if len(c.Requires) > 0 {
		line("    requires: %s", flow(c.Requires))
	}
	line("    metric: %s", written(c.Metric))
	line("    metric_named: %v", c.Named)
	line("    direction: %s", strings.ToLower(string(c.Direction)))
	line("    unit: %s", c.Unit)
	if c.Expected != nil {
		line("    expected: [%s, %s]", written(c.Expected.Low), written(c.Expected.High))
	}
	if len(c.Reported) > 0 {
		var parts []string
		for _, r := range c.Reported {
			p := "{value: " + written(r.Value)
			if r.Spread != nil {
				p += ", spread: " + written(*r.Spread)
			}
			parts = append(parts, p+"}")
		}
		line("    reported: [%s]", strings.Join(parts, ", "))
	}
	line("    scene:")
	line("      words: %s", written(c.Scene.Words))
	if len(c.Scene.Setting) > 0 {
		line("      setting: %s", flow(c.Scene.Setting))
	}
	if len(c.Scene.Conditions) > 0 {
		var parts []string
		for _, k := range c.Scene.Conditions {
			parts = append(parts, k.flow())
		}
		line("      conditions: [%s]", strings.Join(parts, ", "))
	}
	if len(c.Scene.Subset) > 0 {
		line("      subset: %s", written(c.Scene.Subset))
	}
	line("    margin: %s", written(c.Margin))
	line("    alpha: %s", written(c.Alpha))
	if o := c.Official; o.Judgement != "" {
		line("    official:")
		line("      judgement: %s", written(string(o.Judgement)))
		line("      fact: %s", written(o.Fact))
		line("      lever: %s", written(o.Lever))
		if len(o.Needs) > 0 {
			line("      needs: %s", flow(o.Needs))
		}
	}
	line("    study: %s", written(c.Study))
	return b.Bytes()
}

// flow writes parameters on one line: {"lr0": 0.01, "mixup": 0}.
func flow(p trials.Params) string {
	var parts []string
	for _, name := range p.Names() {
		parts = append(parts, written(name)+": "+written(p[name]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (k Condition) flow() string {
	parts := []string{"measure: " + string(k.Measure)}
	for _, b := range []struct {
		key   string
		bound *float64
	}{{"at_least", k.AtLeast}, {"at_most", k.AtMost}, {"above", k.Above}, {"below", k.Below}} {
		if b.bound != nil {
			parts = append(parts, b.key+": "+written(*b.bound))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// Template is a file to start from.
const Template = `# A published claim: what was compared, what was promised, and what would count against it.
# 'mapsweep claims check claim.yaml' fixes it by its hash before the first trial, runs it, and gives a verdict.
source: {title: "where it was published", published: "when"}

claims:
  - id: my-claim
    advice: What one is told to do, in a sentence.
    from: {mixup: 0.15}          # what one has; several knobs at once are fine
    to: {mixup: 0.0}             # what is advised
    requires: {mosaic: 1.0}      # what holds in both
    metric: mAP50
    metric_named: true           # the source names the metric; false: you chose it
    unit: points                 # points: a difference in percent; ratio: to divided by from
    expected: [0.9, 1.4]         # what was promised; leave it out where no figure was published
    scene:
      words: What kind of data it is about.
      subset: [small, dense]     # small, medium or large objects; dense pictures; "class:NAME"; leave it out for all
      conditions: [{measure: train-images, below: 1000}]   # train-images, val-images, gpus, gap; told if they do not hold
    margin: 0.2                  # effects up to this are of no weight
    alpha: 0.05
    study: quickstart            # a shipped study, or a study file beside this one: trainer, data and all other knobs
`
