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
	"github.com/mapsweep/mapsweep/trials"
)

// verdict is what becomes of a trial whose Train has returned.
type verdict struct {
	outcome trials.Outcome
	reason  string // for people; "" for Complete
	requeue string // not empty: put it back for that reason
	taken   bool   // another process has it now
}

// judge decides from what Train returned and why its context ended, if it did. A run that
// finished without error counts, whatever happened to its context at the last moment.
func judge(obj studies.Objective, ms []trials.Measurement, res trainer.Result, err, cause error) verdict {
	if err == nil {
		return score(obj, ms)
	}
	switch {
	case errors.Is(cause, errTaken):
		return verdict{taken: true}
	case errors.Is(cause, ErrPruned):
		return pruned(obj, ms)
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
	return verdict{outcome: trials.Outcome{State: trials.Fail, Attrs: attrs}, reason: class + ": " + f.Reason}
}

// pruned keeps the last finite objective as the trial's value.
func pruned(obj studies.Objective, ms []trials.Measurement) verdict {
	o := trials.Outcome{State: trials.Pruned, Attrs: map[string]json.RawMessage{}}
	for _, m := range slices.Backward(ms) {
		if v, ok := m.Metrics[obj.Metric]; ok && finite(v) {
			o.Values = []float64{v}
			o.Attrs[trials.AttrScoreEpoch] = trials.Attr(m.Epoch)
			break
		}
	}
	return verdict{outcome: o, reason: fmt.Sprintf("pruned after epoch %d", lastEpoch(ms))}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// score reads the objective of a finished run at its last or best epoch. A metric that was
// never reported fails the trial, and so does a value that is not finite: it is never a score.
func score(obj studies.Objective, ms []trials.Measurement) verdict {
	var with []trials.Measurement
	for _, m := range ms {
		if _, ok := m.Metrics[obj.Metric]; ok {
			with = append(with, m)
		}
	}
	if len(with) == 0 {
		return failed(&trainer.Failure{Class: trials.ClassError, Reason: missing(obj.Metric, ms)})
	}
	at := with[len(with)-1]
	if obj.Epoch == "best" {
		for _, m := range with {
			v, best := m.Metrics[obj.Metric], at.Metrics[obj.Metric]
			// At equal values the earlier epoch wins.
			if finite(v) && (!finite(best) || obj.Direction.Better(v, best) || v == best && m.Epoch < at.Epoch) {
				at = m
			}
		}
	} else if at.Epoch != lastEpoch(ms) {
		return failed(&trainer.Failure{Class: trials.ClassError,
			Reason: fmt.Sprintf("%s was not reported at the last epoch %d", obj.Metric, lastEpoch(ms))})
	}
	v := at.Metrics[obj.Metric]
	if !finite(v) {
		return failed(&trainer.Failure{Class: trials.ClassDiverged, Reason: fmt.Sprintf("%s is %v at epoch %d", obj.Metric, v, at.Epoch)})
	}
	return verdict{outcome: trials.Outcome{State: trials.Complete, Values: []float64{v},
		Attrs: map[string]json.RawMessage{trials.AttrScoreEpoch: trials.Attr(at.Epoch)}}}
}

// missing explains that the objective was never reported, and names what was.
func missing(metric string, ms []trials.Measurement) string {
	seen := map[string]bool{}
	for _, m := range ms {
		for k := range m.Metrics {
			seen[k] = true
		}
	}
	if len(seen) == 0 {
		return fmt.Sprintf("the trainer reported no metrics at all; the objective is %s", metric)
	}
	var names []string
	for k := range seen {
		names = append(names, k)
	}
	sort.Strings(names)
	return fmt.Sprintf("the trainer never reported the objective %s; it reported %s", metric, strings.Join(names, ", "))
}
