package sweep_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// TestDerive: an objective that the trainer does not report is made from what a run left behind.
func TestDerive(t *testing.T) {
	wanted := "note" // what the trainer of these tests leaves behind
	derive := func(metric string, left []trials.Artifact) (float64, bool, error) {
		if metric != "mAP50@small" {
			return 0, false, nil
		}
		for _, a := range left {
			if a.Name == wanted {
				n, err := strconv.Atoi(strings.TrimPrefix(string(a.Data), "trial "))
				return float64(n) / 10, true, err
			}
		}
		return 0, true, errors.New("no matches were kept")
	}
	spec := fixed()
	spec.Objective.Metric = "mAP50@small"
	w := newBench(t, &trainertest.Fake{})
	w.Derive = derive
	w.run(t, spec, nil)
	for _, tr := range w.trials(t, "fixed") {
		last := tr.Measurements[len(tr.Measurements)-1]
		if want := float64(tr.Number) / 10; tr.State != trials.Complete || tr.Values[0] != want || last.Metrics["mAP50@small"] != want || last.Metrics["mAP50-95"] == 0 || last.Epoch != 4 {
			t.Errorf("trial %d: %s %v, measured %v", tr.Number, tr.State, tr.Values, last)
		}
		if _, early := tr.Measurements[0].Metrics["mAP50@small"]; early {
			t.Errorf("trial %d has it before its last epoch", tr.Number)
		}
	}
	// Left behind by no run: the trials fail and say why.
	wanted = "matches"
	w = newBench(t, &trainertest.Fake{})
	w.Derive = derive
	if sum := w.run(t, spec, nil); sum.Failed != 6 {
		t.Errorf("%+v", sum)
	}
	if tr := w.trials(t, "fixed")[0]; !strings.Contains(tr.Text(trials.AttrReason), "score mAP50@small: no matches were kept") {
		t.Errorf("reason %q", tr.Text(trials.AttrReason))
	}
	// A metric that the trainer reports is left to it, and one that nobody knows is missing as ever.
	w = newBench(t, &trainertest.Fake{})
	w.Derive = func(string, []trials.Artifact) (float64, bool, error) { return 7, true, nil }
	w.run(t, fixed(), nil)
	if tr := w.trials(t, "fixed")[0]; tr.Values[0] == 7 {
		t.Error("a reported metric was made again")
	}
	spec.Objective.Metric = "other"
	w = newBench(t, &trainertest.Fake{})
	w.Derive = derive
	w.run(t, spec, nil)
	if tr := w.trials(t, "fixed")[0]; !strings.Contains(tr.Text(trials.AttrReason), "never reported the objective other") {
		t.Errorf("reason %q", tr.Text(trials.AttrReason))
	}
}

// TestRegister: what is registered is there before any trial is, and stays as it was.
func TestRegister(t *testing.T) {
	w := newBench(t, &trainertest.Fake{})
	const name = "mapsweep:claim"
	w.Register = map[string]json.RawMessage{name: trials.Attr("first")}
	w.Store = &dying{Store: w.store}
	w.run(t, fixed(), errDied)
	st, err := w.store.Study(t.Context(), "fixed")
	if err != nil {
		t.Fatal(err)
	}
	if got := string(st.Attrs[name]); got != `"first"` || len(w.trials(t, "fixed")) != 0 {
		t.Fatalf("registered %s, %d trials", got, len(w.trials(t, "fixed")))
	}
	w.Store = w.store
	w.Register = map[string]json.RawMessage{name: trials.Attr("second")}
	w.run(t, fixed(), nil)
	if st, err = w.store.Study(t.Context(), "fixed"); err != nil || string(st.Attrs[name]) != `"first"` {
		t.Errorf("registered %s, %v", st.Attrs[name], err)
	}
}
