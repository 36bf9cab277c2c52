package sweep_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// wilful is a trainer that uses x = 1 whatever it is asked for, or refuses to start then.
type wilful struct {
	trainertest.Fake
	refuses bool
}

func (b *wilful) Train(ctx context.Context, job trainer.Job, report func(trials.Measurement)) (trainer.Result, error) {
	effective := job.Params.With(trials.Params{"x": int64(1)})
	if b.refuses {
		if err := trainer.CheckEffective(job.Params, effective); err != nil {
			return trainer.Result{}, err
		}
	}
	res, err := b.Fake.Train(ctx, job, report)
	res.Effective = effective
	return res, err
}

// TestMismatch: what a trainer did instead of what it was asked for is recorded with the trial, numbers by value.
func TestMismatch(t *testing.T) {
	w := newBench(t, &wilful{})
	w.Attrs = map[string]json.RawMessage{trials.AttrAllowInert: trials.Attr([]string{"x"})}
	spec := fixed()
	w.run(t, spec, nil)
	wrong := 0
	for _, tr := range w.trials(t, "fixed") {
		x, _ := trials.Number(tr.Params["x"])
		if x == 1 {
			if list := tr.Mismatches(); len(list) != 0 || tr.Text(trials.AttrNote) != "" {
				t.Errorf("trial %d: %v, note %q", tr.Number, list, tr.Text(trials.AttrNote))
			}
			continue
		}
		wrong++
		list := tr.Mismatches()
		if len(list) != 1 || list[0].Name != "x" || !trials.SameValue(list[0].Effective, 1.0) {
			t.Errorf("trial %d: %v", tr.Number, list)
		}
		if note := tr.Text(trials.AttrNote); !strings.Contains(note, "but the trainer took 1") || tr.State != trials.Complete {
			t.Errorf("trial %d: %s, note %q", tr.Number, tr.State, note)
		}
	}
	if wrong == 0 {
		t.Error("no trial asks for another x than 1")
	}
	st, err := w.store.Study(t.Context(), "fixed")
	if err != nil || len(st.AllowedInert()) != 1 {
		t.Errorf("attributes %v, %v", st.Attrs, err)
	}

	w = newBench(t, &wilful{refuses: true})
	sum := w.run(t, spec, nil)
	if sum.Failed != wrong {
		t.Errorf("%d trials failed, want %d", sum.Failed, wrong)
	}
	for _, tr := range w.trials(t, "fixed") {
		if tr.State == trials.Fail && (tr.Text(trials.AttrClass) != trials.ClassMismatch || !strings.Contains(tr.Text(trials.AttrReason), "not started: asked for x=")) {
			t.Errorf("trial %d: %s: %s", tr.Number, tr.Text(trials.AttrClass), tr.Text(trials.AttrReason))
		}
	}
	if again := w.run(t, spec, nil); again.Repeated != 0 {
		t.Errorf("%d trials of a trainer that refuses were repeated", again.Repeated)
	}
}
