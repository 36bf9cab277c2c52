package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep/audit"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// TestRefusedByReview: what a trainer knows of itself refuses a study without any step, and joins a recorded audit.
func TestRefusedByReview(t *testing.T) {
	var said bytes.Buffer
	dir := t.TempDir()
	a := &app{stderr: &said, notes: &switchWriter{w: &said}, out: dir, db: filepath.Join(dir, "none.db")}
	fake := &trainertest.FakeAuditor{Script: []trainertest.FakeKnob{
		{Knob: trials.Knob{Name: "box", Kind: trials.Float, Default: 7.5, High: 100}},
		{Knob: trials.Knob{Name: "cls", Kind: trials.Float, Default: 0.5, High: 100}, Channel: trainer.ChannelLoss}}}
	fake.Findings = []trainer.Finding{{Knob: "box", Verdict: trainer.Inert, Reason: "a literal", Remedy: "the launcher"}}
	backend := trainertest.ReviewingFake{FakeAuditor: fake}
	spec := studies.Spec{Name: "s", Design: studies.DesignOneFactor, Replicates: 2, Factors: []studies.Factor{
		{Name: "box", Levels: []any{7.5, 10.0}}, {Name: "cls", Levels: []any{0.5, 1.0}}}}
	prov := trials.Provenance{}

	_, err := a.inertFactors(t.Context(), spec, backend, &prov, false)
	var refused *audit.RefusedError
	if !errors.As(err, &refused) || exitCode(err) != exitUsage || !strings.Contains(err.Error(), "\n  box: INERT: a literal; to make it matter: the launcher\n") {
		t.Fatalf("not refused: %v", err)
	}
	attrs, err := a.inertFactors(t.Context(), spec, backend, &prov, true)
	st := trials.Study{Attrs: attrs}
	if got := st.AllowedInert(); err != nil || len(got) != 1 || got[0] != "box" || !strings.Contains(said.String(), "allowed all the same: box: INERT") {
		t.Errorf("allowed: %v, %v, said %q", got, err, &said)
	}
	if kept, ok := st.Audit(); !ok || len(kept.Rows) != 1 {
		t.Errorf("kept %+v", kept)
	}

	// Steps that show a difference win over what the code suggests.
	fake.Script[0].Channel = trainer.ChannelLoss
	got, err := audit.Run(t.Context(), spec, backend, audit.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	got.Context = audit.Context(spec, backend, prov)
	if err := writeAudit(a.auditPath("s"), got); err != nil {
		t.Fatal(err)
	}
	if attrs, err = a.inertFactors(t.Context(), spec, backend, &prov, false); err != nil {
		t.Errorf("alive by its steps, refused: %v", err)
	}
	if kept, ok := (trials.Study{Attrs: attrs}).Audit(); !ok || len(kept.Rows) != 3 {
		t.Errorf("kept %+v", kept)
	}

	// A review that fails stops a run, not a plan, and not one that was told to go on.
	fake.Broken = errors.New("no labels")
	for _, c := range []struct {
		prov  *trials.Provenance
		allow bool
		fails bool
	}{{&prov, false, true}, {&prov, true, false}, {nil, false, false}} {
		if _, err := a.inertFactors(t.Context(), spec, backend, c.prov, c.allow); (err != nil) != c.fails {
			t.Errorf("planned %v, allowed %v: %v", c.prov == nil, c.allow, err)
		}
	}
}

func TestTrainerFlags(t *testing.T) {
	f := trainerFlags{backend: "yolov9", checkout: "a: b", python: "/opt/py thon"}
	sets, err := f.sets()
	if err != nil || len(sets) != 3 || sets[0] != `trainer.backend="yolov9"` || !strings.HasSuffix(sets[1], `/a: b"`) || sets[2] != `trainer.python="/opt/py thon"` {
		t.Errorf("%q, %v", sets, err)
	}
	if sets, err := new(trainerFlags).sets(); err != nil || len(sets) != 0 {
		t.Errorf("no flag: %q, %v", sets, err)
	}
}

// countingAuditor takes no step: it counts configurations, which all do different things.
type countingAuditor struct {
	*native.Backend
	configurations int
}

func (c *countingAuditor) Trace(_ context.Context, jobs []trainer.Job, _ trainer.TraceOptions) ([]trainer.Trace, error) {
	c.configurations += len(jobs)
	var all []trainer.Trace
	for _, j := range jobs {
		does := map[string]string{trainer.ChannelInput: fmt.Sprint(j.Seed, j.Params.Key())}
		all = append(all, trainer.Trace{Steps: []trainer.Step{{Hashes: does}}})
	}
	return all, nil
}

// docs/AUDIT.md says how many configurations an audit of all knobs tries, and what became of each knob.
func TestAuditPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "AUDIT.md"))
	if err != nil {
		t.Fatal(err)
	}
	a := &app{stderr: io.Discard, notes: &switchWriter{w: io.Discard}, out: t.TempDir(), db: filepath.Join(t.TempDir(), "none.db")}
	src, err := a.findSource(t.Context(), "quickstart", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	spec, backend, err := src.load()
	if err != nil {
		t.Fatal(err)
	}
	counter := &countingAuditor{Backend: backend.(*native.Backend)}
	got, err := audit.Run(t.Context(), spec, counter, audit.Options{All: true, Values: auditValues(spec.Trainer, 0), Defaults: knobDefaults(spec.Trainer), Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## The native trainer\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if want := fmt.Sprintf("(3 steps of each of %d configurations,", counter.configurations); !strings.Contains(section, want) {
		t.Errorf("docs/AUDIT.md does not say %q", want)
	}
	for _, r := range got.Rows {
		if r.Knob != trials.AuditSeed && !strings.Contains(section, "`"+r.Knob+"`") {
			t.Errorf("docs/AUDIT.md says nothing of %s", r.Knob)
		}
	}
}
