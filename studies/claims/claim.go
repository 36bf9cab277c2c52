package claims

import (
	"math"

	"github.com/mapsweep/mapsweep/trials"
)

// Claim is one published claim.
type Claim struct {
	ID        string           `json:"id"`
	Source    Source           `json:"source"`
	Advice    string           `json:"advice"`             // what one is told to do
	Contrast  Contrast         `json:"contrast"`           // in knobs and values of the official code
	Native    *Contrast        `json:"native,omitempty"`   // the same for the native trainer, where it differs
	Requires  trials.Params    `json:"requires,omitempty"` // what holds in every arm
	Metric    string           `json:"metric"`
	Named     bool             `json:"metric_named"` // the source names the metric; false: we chose it
	Direction trials.Direction `json:"direction"`
	Unit      Unit             `json:"unit"`
	Expected  *Interval        `json:"expected,omitempty"` // effect of To against From; nil: no figure, or only Reported
	Reported  []Reported       `json:"reported,omitempty"` // scores of From, Via ..., To as published
	Scene     Scene            `json:"scene"`
	Margin    float64          `json:"margin"` // effects up to this are irrelevant, in Unit (of a ratio: distance from 1)
	Alpha     float64          `json:"alpha"`
	Official  Official         `json:"official"`
	Study     string           `json:"study"` // shipped study that tests it, or a study file beside the claim's
}

// Source is where a claim was published.
type Source struct {
	Title     string `json:"title"`
	Published string `json:"published"`
}

// Contrast is what is compared: From is what one has, To what is advised. Via are the settings between
// them where a claim goes in steps. All name the same knobs.
type Contrast struct {
	From trials.Params   `json:"from"`
	Via  []trials.Params `json:"via,omitempty"`
	To   trials.Params   `json:"to"`
}

// settings are From, Via ..., To.
func (c Contrast) settings() []trials.Params {
	return append(append([]trials.Params{c.From}, c.Via...), c.To)
}

// Unit is how an effect is counted.
type Unit string

// The units.
const (
	Points Unit = "points" // difference in percent: 0.013 of mAP50 are 1.3 points
	Ratio  Unit = "ratio"  // To divided by From; Reported are seconds
)

// Interval is a range of effects, both ends included; one figure is a range of no width.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Reported is a published score of one setting, with its spread if there was one. What a spread is over
// (seeds, epochs), the sources do not say.
type Reported struct {
	Value  float64  `json:"value"`
	Spread *float64 `json:"spread,omitempty"`
}

// Pair is one comparison that a check makes.
type Pair struct {
	From     trials.Params
	To       trials.Params
	Expected *Interval // nil: no figure was published
}

// Pairs are the comparisons of a claim on a backend ("native" or "yolov9"): one, or one for each step of a
// sequence. Where only scores were published, their difference or ratio is what is expected.
func (c Claim) Pairs(backend string) []Pair {
	contrast := c.Contrast
	if backend == "native" && c.Native != nil {
		contrast = *c.Native
	}
	var pairs []Pair
	all := contrast.settings()
	for i := 1; i < len(all); i++ {
		p := Pair{From: all[i-1], To: all[i], Expected: c.Expected}
		if p.Expected == nil && len(c.Reported) == len(all) {
			e := effect(c.Unit, c.Reported[i-1].Value, c.Reported[i].Value)
			p.Expected = &Interval{e, e}
		}
		pairs = append(pairs, p)
	}
	return pairs
}

// effect of two published scores, with no more digits than they have.
func effect(u Unit, from, to float64) float64 {
	if u == Ratio {
		return math.Round(to/from*1000) / 1000
	}
	return math.Round((to-from)*1000) / 1000
}

// Verdict is what a check says of a claim, from the interval [L, U] of the effect, the expected interval
// [e1, e2] and the margin d; see Claim.Judge for their order. Effects are counted so that larger is better: of a ratio of times, what is saved
// (1 minus the ratio).
type Verdict string

// The verdicts.
const (
	Supported        Verdict = "SUPPORTED"          // L > 0 and [L, U] meets [e1, e2]
	Smaller          Verdict = "SMALLER"            // L > 0 and U < e1: real, but smaller than claimed
	Larger           Verdict = "LARGER"             // L > e2
	Contradicted     Verdict = "CONTRADICTED"       // U < 0
	NoRelevantEffect Verdict = "NO RELEVANT EFFECT" // [L, U] lies within [-d, d]
	Inconclusive     Verdict = "INCONCLUSIVE"       // none of these: more seeds are needed
)

// Judgement says whether what a claim says of the official code is so.
type Judgement string

// The judgements.
const (
	True   Judgement = "true"
	Partly Judgement = "partly true"
	False  Judgement = "false"
)

// Official is what the official code does about a claim. Nothing here says whether the figure is right.
type Official struct {
	Judgement Judgement     `json:"judgement"`
	Fact      string        `json:"fact"`            // what the code does
	Lever     string        `json:"lever"`           // how mapsweep makes the advice testable with that code
	Needs     trials.Params `json:"needs,omitempty"` // knobs that backend yolov9 needs for the lever to be live
}
