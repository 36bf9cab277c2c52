package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/claims"
	"github.com/mapsweep/mapsweep/studies/courses"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// ClaimCheck is what a study says of the published claim that it was registered with.
type ClaimCheck struct {
	claims.Registered
	Verdict claims.Verdict // of the whole claim: the worst of its pairs
	Done    bool           // no more trials will come; false: the verdict may still change
	Pairs   []ClaimPair
	Outside []string // conditions of the claim's scene that do not hold here, in words
	Unknown []string // conditions that cannot be told
}

// ClaimPair is one comparison of a claim: one, or one for each step.
type ClaimPair struct {
	claims.Comparison
	claims.Judged
	Arms string // for people: "mixup 0.15 → 0"
}

// Claim judges the published claim that the study checks; ok is false if it checks none.
func (s *Snapshot) Claim() (c ClaimCheck, ok bool, err error) {
	r, ok, err := claims.Of(s.Study)
	if !ok || err != nil {
		return c, ok, err
	}
	c = ClaimCheck{Registered: r, Done: s.claimDone()}
	pairs := r.Claim.Comparisons(s.Spec.Trainer.Backend)
	judged := make([]claims.Judged, len(pairs))
	for i, p := range pairs {
		judged[i] = r.Claim.Judge(s.evidence(r.Claim, p, len(pairs)), p.Expected, len(pairs))
		c.Pairs = append(c.Pairs, ClaimPair{p, judged[i], pairWords(p)})
	}
	c.Verdict = claims.Worst(judged)
	for _, k := range r.Claim.Scene.Conditions {
		switch x, known := s.measure(k.Measure); {
		case !known:
			c.Unknown = append(c.Unknown, k.String())
		case !k.Holds(x):
			c.Outside = append(c.Outside, fmt.Sprintf("%s; here %s", k, trials.FormatValue(math.Round(10*x)/10)))
		}
	}
	return c, true, nil
}

// claimDone says that nothing waits or runs, and that every variant is settled or has all its replicates; of a fixed
// number none was skipped.
func (s *Snapshot) claimDone() bool {
	if s.Spec.Settle == nil {
		return s.Count.Done() && s.Count.Skipped == 0
	}
	at := s.settling
	return at != nil && s.Count.Running+s.Count.Waiting == 0 && !slices.ContainsFunc(at.Variants, func(v courses.Variant) bool { return !v.Done })
}

func pairWords(p claims.Comparison) string {
	var parts []string
	for _, name := range p.From.Names() {
		if !trials.SameValue(p.From[name], p.To[name]) {
			parts = append(parts, Change{name, p.From[name], p.To[name]}.String())
		}
	}
	return strings.Join(parts, ", ")
}

// evidence is what the study found of one of so many pairs of a claim, in the claim's unit. Where the number of
// replicates is fixed its interval holds for one look, after all of them: it is void before, also where trials were
// skipped, which a larger budget runs after all.
func (s *Snapshot) evidence(c claims.Claim, p claims.Comparison, pairs int) claims.Evidence {
	b := &s.Blocks[0]
	from, to := arm(b, p.FromArm), arm(b, p.ToArm)
	e := claims.Evidence{Effect: math.NaN(), SD: math.NaN(), Low: math.Inf(-1), High: math.Inf(1)}
	for i, a := range []Arm{from, to} {
		if len(a.Scores) == 0 {
			e.Reason = fmt.Sprintf("no trial of %s is complete", settingWords([]trials.Params{p.From, p.To}[i]))
			return e
		}
	}
	if s.Spec.Settle != nil {
		q := s.sequence(c, pairs)
		e.Sequence = &q
	}
	found := s.found(c, p, from, to, pairs)
	e.N, e.Effect, e.SD = found.N, gained(c, found.Mean), found.SD
	e.Low, e.High = gained(c, found.Low), gained(c, found.High)
	e.Reason = unsaid(found, s.Spec)
	if e.Reason == "" || math.IsNaN(found.Low) {
		e.Void, e.Reason = s.void(b, p, e.Reason)
	}
	if more := s.Count.Planned - s.Count.Finished() + s.Count.Skipped; s.Spec.Settle == nil && more > 0 && !e.Void {
		e.Void, e.Reason = true, fmt.Sprintf("the number of replicates was fixed, and %d of %s are still to come", more, Count(s.Count.Planned, "trial"))
	}
	return e
}

// found is the effect of one pair, on the scale of counted. Of a study until settled it is that by which replicates were
// added; its scores are differences of the claim's metric. Ratios are judged by the same rule, on logarithms.
func (s *Snapshot) found(c claims.Claim, p claims.Comparison, from, to Arm, pairs int) inference.Effect {
	x, y := counted(c, bySeed(from)), counted(c, bySeed(to))
	q := s.sequence(c, pairs)
	if s.Spec.Settle == nil {
		q.Options.Alpha /= float64(max(1, pairs))
		return inference.Compare(x, y, q.Options)
	}
	at := s.settling
	if at == nil || c.Unit == claims.Ratio || !from.Reference && !to.Reference {
		return inference.Sequential(x, y, q).Effect
	}
	arm, sign := p.ToArm, 100.0
	if to.Reference {
		arm, sign = p.FromArm, -100
	}
	if c.Direction == trials.Minimize {
		sign = -sign
	}
	v, ok := at.Of(s.Blocks[0].Data, arm)
	if !ok {
		return inference.Sequential(x, y, q).Effect
	}
	e := v.Effect
	e.Mean, e.SD, e.Low, e.High = sign*e.Mean, 100*e.SD, sign*e.Low, sign*e.High
	if sign < 0 {
		e.Low, e.High = e.High, e.Low
	}
	return e
}

// unsaid says why there is no interval, or "".
func unsaid(e inference.Effect, spec studies.Spec) string {
	first := 2
	if spec.Settle != nil {
		first = spec.Settle.First()
	}
	switch {
	case e.SD == 0 && e.N > 1 && e.Mean == 0:
		return "every trial scored exactly as its partner with the same seed, so that this trainer seems not to tell the two settings apart"
	case e.SD == 0 && e.N > 1:
		return "all differences are exactly equal, and an interval needs spread"
	case e.N < first:
		return fmt.Sprintf("%s of trials complete, and the first look is at %d", Count(e.N, "pair"), first)
	case !finite(e.Low) && !finite(e.High) && e.Reason != "":
		return e.Reason
	case !finite(e.Low) && !finite(e.High):
		return fmt.Sprintf("%s of trials say nothing yet", Count(e.N, "pair"))
	}
	return ""
}

// void says that the interval of a pair must not be read: the trainer does not tell the settings apart, or it has
// learned nothing.
func (s *Snapshot) void(b *Block, p claims.Comparison, reason string) (bool, string) {
	if audit, ok := s.Study.Audit(); ok {
		a := Arm{}
		for _, name := range p.From.Names() {
			if !trials.SameValue(p.From[name], p.To[name]) {
				a.Changes = append(a.Changes, Change{name, p.From[name], p.To[name]})
			}
		}
		if why := inertArm(audit, b.Data, a); why != "" {
			return true, "the audit of the trainer found that nothing of this matters (" + why + ")"
		}
	}
	if s.floor(b) != "" {
		return true, "the baseline has hardly learned anything yet; train longer"
	}
	return false, reason
}

func settingWords(p trials.Params) string {
	var parts []string
	for _, name := range p.Names() {
		parts = append(parts, name+"="+trials.FormatValue(p[name]))
	}
	return strings.Join(parts, " ")
}

func arm(b *Block, name string) Arm {
	for _, a := range b.Arms {
		if a.Name == name {
			return a
		}
	}
	return Arm{}
}

// sequence is the rule by which the study's replicates are judged, for scores as counted returns them.
func (s *Snapshot) sequence(c claims.Claim, pairs int) inference.Sequence {
	q := inference.Sequence{Options: inference.Options{Alpha: c.Alpha, Margin: c.Margin}, Max: s.Spec.Replicates, Arms: pairs}
	if c.Unit == claims.Ratio {
		q.Margin = math.Log1p(c.Margin)
	}
	if r := s.Spec.Settle; r != nil {
		q.Rule, q.Looks = inference.Rule(r.Rule), r.Looks
	}
	return q
}

// counted turns scores so that larger is better, and into the scale on which their differences are the claim's: points, or
// for ratios logarithms.
func counted(c claims.Claim, scores map[int64]float64) map[int64]float64 {
	sign := 1.0
	if c.Direction == trials.Minimize {
		sign = -1
	}
	out := make(map[int64]float64, len(scores))
	for k, v := range scores {
		if c.Unit == claims.Ratio {
			out[k] = sign * math.Log(v) // of a score that is not above zero it is no number, and left out
		} else {
			out[k] = sign * 100 * v
		}
	}
	return out
}

// gained turns a difference of counted scores into the claim's unit. d is a gain on the logarithmic scale where the
// unit is a ratio: less time by exp(-d) saves 1 - exp(-d), more of something by exp(d) gains exp(d) - 1.
func gained(c claims.Claim, d float64) float64 {
	switch {
	case c.Unit != claims.Ratio:
		return d
	case c.Direction == trials.Minimize:
		return -math.Expm1(-d)
	}
	return math.Expm1(d)
}

// measure is what a condition of a claim bounds, if the study knows it.
func (s *Snapshot) measure(m claims.Measure) (float64, bool) {
	data := s.Study.Provenance.Data
	switch m {
	case claims.GPUs:
		return float64(max(s.Spec.Trainer.GPUs, min(1, len(s.Study.Provenance.Devices)))), true
	case claims.TrainImages:
		if len(data) > 0 && data[0].Train > 0 {
			return float64(data[0].Train), true
		}
	case claims.ValImages:
		if len(data) > 0 && data[0].Val > 0 {
			return float64(data[0].Val), true
		}
	case claims.Gap:
		return s.gap()
	}
	return math.NaN(), false
}

// gap is mAP50 minus mAP50-95 of the baseline after its last epoch, in points, over its complete trials.
func (s *Snapshot) gap() (float64, bool) {
	ref, ok := s.Blocks[0].Reference()
	if !ok {
		return math.NaN(), false
	}
	var gaps []float64
	for _, t := range ref.Trials {
		if n := len(t.Measurements); t.State == trials.Complete && n > 0 {
			m := t.Measurements[n-1].Metrics
			a, ok := m["mAP50"]
			b, ok2 := m["mAP50-95"]
			if ok && ok2 && finite(a-b) {
				gaps = append(gaps, 100*(a-b))
			}
		}
	}
	mean, _ := MeanSD(gaps)
	return mean, len(gaps) > 0
}

// finding is what was found and what was claimed, in a line.
func (p ClaimPair) finding(c claims.Claim, metric string) string {
	verb := "changes"
	if c.Unit == claims.Ratio {
		verb = "improves"
	}
	found := fmt.Sprintf("has no pair of %s scores yet", metric)
	switch {
	case finite(p.Low) && finite(p.High):
		found = fmt.Sprintf("%s %s by %s (interval %s, %s)", verb, metric, c.Amount(p.Effect), c.Range(p.Low, p.High), Count(p.N, "seed"))
	case p.N > 0 && finite(p.Effect):
		found = fmt.Sprintf("%s %s by %s (no interval, %s)", verb, metric, c.Amount(p.Effect), Count(p.N, "seed"))
	}
	claimed := "no figure"
	if p.Judged.Expected != nil {
		claimed = c.Range(p.Judged.Expected.Low, p.Judged.Expected.High)
	}
	return fmt.Sprintf("%s %s; claimed: %s", p.Arms, found, claimed)
}

// Words are the check in sentences, the verdict first.
func (c ClaimCheck) Words(metric string) []string {
	head := fmt.Sprintf("Published claim %s: %s", c.Claim.ID, c.Verdict)
	if !c.Done {
		head += " so far"
	}
	list := []string{head + "."}
	for _, p := range c.Pairs {
		if len(c.Pairs) > 1 {
			list = append(list, fmt.Sprintf("%s: %s.", p.Verdict, p.finding(c.Claim, metric)))
		} else {
			list = append(list, p.finding(c.Claim, metric)+".")
		}
		list = append(list, p.Sentence)
	}
	for _, o := range c.Outside {
		list = append(list, "Outside of the scene of the claim, which is meant for "+o+".")
	}
	for _, o := range c.Unknown {
		list = append(list, "The claim is meant for "+o+", which cannot be told here.")
	}
	return append(list, fmt.Sprintf("The claim was registered on %s, before the first trial, with hash %s.", c.At.Format("2006-01-02 15:04:05 UTC"), c.Hash))
}

// answerClaim begins the answer of a study that checks a published claim with the verdict.
func (s *Snapshot) answerClaim(w *writer) {
	c, ok, err := s.Claim()
	switch {
	case err != nil:
		w.strong("The published claim cannot be judged: ")
		w.say("%v. ", err)
	case ok:
		words := c.Words(s.Metric.Key)
		w.strong("%s ", words[0])
		for _, t := range words[1:] {
			w.say("%s ", t)
		}
	}
}
