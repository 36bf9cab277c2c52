package sweep_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// What a design cannot tell apart is stored with the study; runs that train alike are replicates with seeds of their own.
func TestAliasTableIsStored(t *testing.T) {
	spec := fixed()
	spec.Design, spec.Layout, spec.Replicates = studies.DesignFractional, &studies.Layout{Resolution: 3}, 1
	spec.Baseline["z"] = 0.5
	spec.Factors = append(spec.Factors, studies.Factor{Name: "z", Levels: []any{0.5, 0.25}})
	w := newBench(t, &trainertest.Fake{Sources: []trials.DataSource{{Name: "digits", Hash: "h1", Train: 10}}})
	wantSummary(t, w.run(t, spec, nil), sweep.Summary{Planned: 4, Complete: 4})
	st, err := w.store.Study(t.Context(), "fixed")
	if err != nil {
		t.Fatal(err)
	}
	var got []design.Alias
	if err := json.Unmarshal(st.Attrs[trials.AttrAliases], &got); err != nil {
		t.Fatal(err)
	}
	want, err := design.Points(spec)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Aliases, got); diff != "" || len(got) != 6 || design.Clear(got, "x") {
		t.Errorf("%d entries: %s", len(got), diff)
	}

	spec.Name, spec.Layout = "nested", &studies.Layout{Resolution: 4} // all 8, z on in half of them
	spec.Factors[2].Requires = trials.Params{"x": 0.5}
	wantSummary(t, w.run(t, spec, nil), sweep.Summary{Planned: 8, Complete: 8})
	seen := map[string]bool{}
	for _, tr := range w.trials(t, "nested") {
		seen[tr.Params.Key()+" "+string(tr.Attrs[trials.AttrSeed])] = true
	}
	if len(seen) != 8 {
		t.Errorf("%d of 8 trials are different", len(seen))
	}
	if st, err = w.store.Study(t.Context(), "nested"); err != nil || string(st.Attrs[trials.AttrAliases]) != "[]" {
		t.Errorf("the table of a design in which all is clear: %s, %v", st.Attrs[trials.AttrAliases], err)
	}
}
