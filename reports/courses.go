package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/courses"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// NotSettled is how a report reads variants that were stopped without a verdict: futile, or out of budget. Which of
// them it was is in the effect's course.
const NotSettled inference.Verdict = "not settled"

// Sequential says that variants got replicates until they were settled.
func (s *Snapshot) Sequential() bool { return s.Spec.Settle != nil }

// follow reads where a study until settled stands; nil for any other, and for one that this version cannot lay out.
func follow(spec studies.Spec, ts []trials.Trial, now time.Time) *courses.Standing {
	if spec.Settle == nil {
		return nil
	}
	plan, err := design.Points(spec)
	if err != nil {
		return nil
	}
	on := slices.ContainsFunc(ts, func(t trials.Trial) bool { return t.State == trials.Running || t.State == trials.Waiting })
	at := courses.Read(spec, plan, ts, !on && spent(spec, ts, now))
	return &at
}

// notPlanned is the reason of arms that a user enqueued beside the design.
const notPlanned = "it is not part of the study's design"

// compareCourses fills the effects of a block whose variants were settled one by one: each is as of the look that
// settled it.
func (s *Snapshot) compareCourses(b *Block) {
	for _, a := range b.Arms {
		if a.Reference {
			continue
		}
		e := Effect{Arm: a.Name, Label: a.Label}
		e.Verdict, e.Reason = inference.NotTested, notPlanned
		e.Mean, e.SD, e.Low, e.High = math.NaN(), math.NaN(), math.NaN(), math.NaN()
		e.P, e.PHolm, e.Correlation = math.NaN(), math.NaN(), math.NaN()
		if s.settling != nil {
			if v, ok := s.settling.Of(b.Data, a.Name); ok {
				c := v.Course
				e.Course, e.Effect = &c, c.Effect
				bounded(&e.Low, &e.High)
				bounded(&e.WideLow, &e.WideHigh)
				if e.Verdict == inference.Futile || e.Verdict == inference.OutOfBudget {
					e.Verdict = NotSettled
				}
			}
		}
		b.Effects = append(b.Effects, e)
	}
	if s.floor(b) != "" {
		unlearned(b.Effects)
	}
	s.inert(b)
	if sd := pooled(b.Effects); sd > 0 && s.settling != nil {
		if d := courses.Sequence(s.Spec, s.settling.Arms).Detectable(sd, inference.DefaultPower); finite(d) {
			b.Smallest = d
		}
	}
}

// bounded makes an interval that goes on for ever none: before a look allows a conclusion there is nothing to show.
func bounded(low, high *float64) {
	if !finite(*low) || !finite(*high) {
		*low, *high = math.NaN(), math.NaN()
	}
}

// pooled is the root mean square of the standard deviations of differences; 0 without any.
func pooled(es []Effect) float64 {
	n, square := 0, 0.0
	for _, e := range es {
		if e.N > 1 && finite(e.SD) {
			n++
			square += e.SD * e.SD
		}
	}
	return math.Sqrt(square / float64(max(1, n)))
}

// Rule says in a sentence how the variants of a study until settled were settled; "" for any other.
func (s *Snapshot) Rule() string {
	if !s.Sequential() {
		return ""
	}
	level := fmt.Sprintf("%g %%", roundSignificant(100*(1-s.Spec.Rules.Level()), 6))
	if s.Spec.Settle.Rule == studies.RuleAnytime {
		return fmt.Sprintf("Each variant got replicates until it was settled, %d at most, and was looked at after each (e-process); "+
			"over all looks and variants the intervals hold together with %s.", s.Spec.Replicates, level)
	}
	var at []string
	for _, n := range s.Spec.Settle.Looks {
		at = append(at, fmt.Sprint(n))
	}
	looks := strings.Join(at, ", ")
	if n := len(at); n > 1 {
		looks = strings.Join(at[:n-1], ", ") + " and " + at[n-1]
	}
	return fmt.Sprintf("Each variant got replicates until it was settled, with looks at %s pairs of seeds; "+
		"over all looks and variants the intervals hold together with %s.", looks, level)
}

// Needs says how many seeds more would settle an effect, roughly; "" where nobody can tell or none are needed.
func (e Effect) Needs() string {
	if e.Course == nil || e.Course.Needs <= 0 {
		return ""
	}
	return "would need about " + Count(inference.Roughly(e.Course.Needs), "seed") + " more"
}
