package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/telemetry"
	"github.com/mapsweep/mapsweep/trials"
)

// verdict is what becomes of a trial whose Train has returned.
type verdict struct {
	outcome trials.Outcome
	reason  string // for people; "" for Complete
	class   string // of a failure, with its reason alone in text
	text    string
	requeue string // not empty: put it back for that reason
	taken   bool   // another process has it now
}

// judge decides from what Train returned and why its context ended, if it did. A run that
// finished without error counts, whatever happened to its context at the last moment. epochs is the
// length that was asked for, 0 if that was left to the trainer.
func judge(spec studies.Spec, epochs int, ms []trials.Measurement, err, cause error) verdict {
	obj := spec.Objective
	if err == nil {
		v := score(obj, spec.Constraints, ms)
		if text := note(obj, epochs, ms); text != "" && v.outcome.State == trials.Complete {
			v.outcome.Attrs[trials.AttrNote] = trials.Attr(text)
		}
		return v
	}
	switch {
	case errors.Is(cause, errTaken):
		return verdict{taken: true}
	case errors.Is(cause, ErrPruned):
		return pruned(obj, spec.Constraints, ms)
	case errors.Is(cause, ErrTimeout):
		return failed(&trainer.Failure{Class: trials.ClassTimeout, Reason: fmt.Sprintf("ran over trainer.timeout after %d epochs", lastEpoch(ms)), LogTail: tail(err)})
	case errors.Is(cause, ErrStopped), errors.Is(cause, context.Canceled), cause != nil:
		return verdict{requeue: "stopped after epoch " + fmt.Sprint(lastEpoch(ms))}
	}
	var f *trainer.Failure
	if !errors.As(err, &f) {
		f = &trainer.Failure{Class: trials.ClassError, Reason: err.Error(), Err: err}
	}
	return failed(f)
}

func tail(err error) string {
	var f *trainer.Failure
	if errors.As(err, &f) {
		return f.LogTail
	}
	return ""
}

func lastEpoch(ms []trials.Measurement) int {
	if len(ms) == 0 {
		return 0
	}
	return ms[len(ms)-1].Epoch
}

// failed makes a Fail outcome.
func failed(f *trainer.Failure) verdict {
	class := f.Class
	if class == "" {
		class = trials.ClassError
	}
	attrs := map[string]json.RawMessage{trials.AttrClass: trials.Attr(class), trials.AttrReason: trials.Attr(f.Reason)}
	if f.LogTail != "" {
		attrs[trials.AttrLogTail] = trials.Attr(f.LogTail)
	}
	return verdict{outcome: trials.Outcome{State: trials.Fail, Attrs: attrs}, reason: class + ": " + f.Reason, class: class, text: f.Reason}
}

// pruned keeps the last finite objective as the trial's value, and how far the trial was off its constraints there, if
// all of them were measured.
func pruned(obj studies.Objective, cons []studies.Constraint, ms []trials.Measurement) verdict {
	o := trials.Outcome{State: trials.Pruned, Attrs: map[string]json.RawMessage{}}
	for _, m := range slices.Backward(ms) {
		if v, ok := m.Metrics[obj.Metric]; ok && finite(v) {
			o.Values = []float64{v}
			o.Attrs[trials.AttrScoreEpoch] = trials.Attr(m.Epoch)
			o.Constraints, _ = violations(cons, m)
			break
		}
	}
	return verdict{outcome: o, reason: fmt.Sprintf("pruned after epoch %d", lastEpoch(ms))}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// score reads the objective of a finished run at its last or best epoch. A metric that was
// never reported fails the trial, and so does a value that is not finite: it is never a score. Further objectives and
// constraints are read at the same epoch, by the same rule.
func score(obj studies.Objective, cons []studies.Constraint, ms []trials.Measurement) verdict {
	var with []trials.Measurement
	for _, m := range ms {
		if _, ok := m.Metrics[obj.Metric]; ok {
			with = append(with, m)
		}
	}
	if len(with) == 0 {
		return failed(&trainer.Failure{Class: trials.ClassError, Reason: missing("objective", obj.Metric, ms)})
	}
	at := with[len(with)-1]
	if obj.Epoch == "best" {
		at = best(obj, with)
	} else if at.Epoch != lastEpoch(ms) {
		return failed(&trainer.Failure{Class: trials.ClassError,
			Reason: fmt.Sprintf("%s was not reported at the last epoch %d", obj.Metric, lastEpoch(ms))})
	}
	v := at.Metrics[obj.Metric]
	if !finite(v) {
		return failed(&trainer.Failure{Class: trials.ClassDiverged, Reason: fmt.Sprintf("%s is %v at epoch %d", obj.Metric, v, at.Epoch)})
	}
	attrs := map[string]json.RawMessage{trials.AttrScoreEpoch: trials.Attr(at.Epoch)}
	for name, m := range map[string]trials.Measurement{trials.AttrFinal: with[len(with)-1], trials.AttrBest: best(obj, with)} {
		if x := m.Metrics[obj.Metric]; finite(x) { // whichever of them is the score, the other is kept, too
			attrs[name] = trials.Attr(trials.At{Epoch: m.Epoch, Value: x})
		}
	}
	values := []float64{v}
	for _, g := range obj.Also {
		if f := unread(at, "objective", g.Metric, ms); f != nil {
			return failed(f)
		}
		values = append(values, at.Metrics[g.Metric])
	}
	off, metric := violations(cons, at)
	if metric != "" {
		return failed(unread(at, "metric of a constraint,", metric, ms))
	}
	return verdict{outcome: trials.Outcome{State: trials.Complete, Values: values, Constraints: off, Attrs: attrs}}
}

// best is the measurement of the best epoch, by the metric that the objective names for that; at equal values
// the earlier epoch wins.
func best(obj studies.Objective, ms []trials.Measurement) trials.Measurement {
	by, dir := obj.Chooser()
	var at *trials.Measurement
	for i := range ms {
		m := &ms[i]
		v, ok := m.Metrics[by]
		if !ok || !finite(v) {
			continue
		}
		if at == nil || dir.Better(v, at.Metrics[by]) {
			at = m
		}
	}
	if at == nil {
		return ms[len(ms)-1]
	}
	return *at
}

// note says what is unusual about a complete run: another length than was asked for, and epochs whose
// objective is not finite.
func note(obj studies.Objective, epochs int, ms []trials.Measurement) string {
	var parts []string
	if last := lastEpoch(ms); epochs > 0 && last < epochs {
		parts = append(parts, fmt.Sprintf("ended by itself: the last epoch reported is %d, %d were asked for", last, epochs))
	} else if epochs > 0 && last > epochs {
		parts = append(parts, fmt.Sprintf("ran longer than it should: the last epoch reported is %d, %d were asked for", last, epochs))
	}
	var bad []string
	for _, m := range ms {
		if v, ok := m.Metrics[obj.Metric]; ok && !finite(v) {
			bad = append(bad, fmt.Sprintf("%v at epoch %d", v, m.Epoch))
		}
	}
	if len(bad) > 3 {
		bad = append(bad[:3], fmt.Sprintf("and so on, %d epochs in all", len(bad)))
	}
	if len(bad) > 0 {
		parts = append(parts, obj.Metric+" was "+strings.Join(bad, ", "))
	}
	return strings.Join(parts, "; ")
}

// missing explains that a metric was never reported, and names what was. what it is comes before it in the text.
func missing(what, metric string, ms []trials.Measurement) string {
	seen := map[string]bool{}
	for _, m := range ms {
		for k := range m.Metrics {
			if !telemetry.Is(k) { // those are not its own
				seen[k] = true
			}
		}
	}
	if len(seen) == 0 {
		return fmt.Sprintf("the trainer reported no metrics at all; the %s is %s", strings.TrimSuffix(what, ","), metric)
	}
	var names []string
	for k := range seen {
		names = append(names, k)
	}
	sort.Strings(names)
	return fmt.Sprintf("the trainer never reported the %s %s; it reported %s", what, metric, strings.Join(names, ", "))
}
