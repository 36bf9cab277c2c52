package diagnosis

import (
	"fmt"

	"github.com/mapsweep/mapsweep/studies"
)

const (
	backendNative  = studies.BackendNative
	backendCommand = studies.BackendCommand
	backendYOLOv9  = studies.BackendYOLOv9
)

// rule judges one signal. It returns false where the signal does not apply to the trial at all.
type rule struct {
	id, title string
	judge     func(*trace) (Finding, bool)
}

// rules are all signals, in the order in which a reader meets them.
func rules() []rule {
	return []rule{
		{"diverged", "Divergence", diverged},
		{"no-learning", "Learning", noLearning},
		{"box-loss-fall", "Fall of the box loss", boxLossFall},
		{"box-loss-swing", "Swing of the box loss", boxLossSwing},
		{"overfitting", "Overfitting, by validation loss", overfitting},
		{"score-fall", "Overfitting, by score", scoreFall},
		{"map-gap", "Gap between mAP50 and mAP50-95", mapGap},
		{"best-epoch", "Early stopping", bestEpoch},
		{"still-rising", "Score at the end", stillRising},
		{"unstable", "Steadiness of the score", unstable},
		{"warm-up", "Length of warm-up", warmUp},
		{"lr-end", "Learning rate at the end", rateEnd},
		{"gpu", "GPU memory and utilisation", gpu},
		{"loading", "Waiting for data", loading},
		{"slower", "Time of an epoch", slower},
	}
}

// Rules lists the names of all rules with their titles, in order.
func Rules() (ids, titles []string) {
	for _, r := range rules() {
		ids, titles = append(ids, r.id), append(titles, r.title)
	}
	return ids, titles
}

// Diagnose judges one trial by every rule that applies to it. Of a trial that diverged, what cannot be judged is
// left out: its curves are broken, which the first rule says.
func Diagnose(r Run) Report {
	t := newTrace(r)
	rep := Report{Trial: r.Number, State: r.State.String(), Epochs: t.last(), Planned: r.Planned, Attempts: r.Attempts, Findings: []Finding{}}
	diverges := false
	for _, x := range rules() {
		if len(t.epochs) == 0 && x.id != "diverged" {
			continue
		}
		if f, applies := x.judge(t); applies && !(diverges && f.State == Unknown) {
			diverges = diverges || x.id == "diverged" && f.State == Problem
			f.Rule, f.Title = x.id, x.title
			if f.Numbers == nil {
				f.Numbers = []Number{}
			}
			rep.Findings = append(rep.Findings, f)
		}
	}
	return rep
}

// unknown is a finding that cannot be judged, with the reason.
func unknown(threshold, source, reason string) Finding {
	return Finding{State: Unknown, Threshold: threshold, Source: source, Meaning: reason}
}

// tooFew is the finding of a curve that is too short.
func tooFew(threshold, source, what string, have, need int) Finding {
	f := unknown(threshold, source, fmt.Sprintf("too few epochs: the rule needs %s at %d epochs or more", what, need))
	f.Numbers = []Number{{Name: what + " measured at", Value: float64(have), Unit: Epochs}}
	return f
}

// missing says why a metric is not there.
func (t *trace) missing(metric string) string {
	switch t.Backend {
	case backendCommand:
		return fmt.Sprintf("the program reports no metric %s", metric)
	case "":
		return fmt.Sprintf("no metric %s is stored", metric)
	}
	return fmt.Sprintf("no metric %s is stored for this trial of backend %s", metric, t.Backend)
}
