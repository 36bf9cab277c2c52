package audit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep/audit"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

func float(name string, def, low, high float64) trials.Knob {
	return trials.Knob{Name: name, Kind: trials.Float, Default: def, Low: low, High: high}
}

// script has a knob of each kind.
func script() []trainertest.FakeKnob {
	floor := func(v any) any { x, _ := trials.Number(v); return max(x*6, 100) }
	mosaicOn := func(p trials.Params) bool { x, _ := trials.Number(p["mosaic"]); return x == 1 }
	mixup := float("mixup", 0.15, 0, 1)
	mixup.Requires = trials.Params{"mosaic": 1.0}
	return []trainertest.FakeKnob{
		{Knob: float("lr0", 0.01, 1e-9, 1e3), Channel: trainer.ChannelRate, From: 2},
		{Knob: float("box", 7.5, 0, 1e4), Channel: trainer.ChannelLoss, Lever: true},
		{Knob: float("obj", 0.7, 0, 1e4)},
		{Knob: float("warmup", 3, 0, 1000), Channel: trainer.ChannelRate, Reads: floor},
		{Knob: float("mosaic", 1, 0, 1), Channel: trainer.ChannelInput, Reads: certain},
		{Knob: mixup, Channel: trainer.ChannelInput, Live: mosaicOn, Reads: certain},
		{Knob: float("patience", 100, 0, 1e6), Late: "acts when training ends"},
		{Knob: float("fragile", 1, 0, 10), Channel: trainer.ChannelLoss, Fails: func(v any) string {
			if v == 9.0 {
				return "the loss became NaN"
			}
			return ""
		}},
		{Knob: float("bomb", 1, 0, 10), Channel: trainer.ChannelLoss, Crashes: func(v any) bool { return v == 9.0 }},
		{Knob: trials.Knob{Name: "optimizer", Kind: trials.Categorical, Default: "SGD", Choices: []any{"SGD", "Adam"}}, Channel: trainer.ChannelWeights},
		{Knob: trials.Knob{Name: "weights", Kind: trials.Categorical, Default: ""}, Channel: trainer.ChannelLoss},
		{Knob: trials.Knob{Name: "batch", Kind: trials.Int, Default: int64(16), Low: 1, High: 1000}, Channel: trainer.ChannelInput},
		{Knob: float("deaf", 1, 0, 10), Echo: func(any) any { return 1.0 }},
	}
}

// certain is what a chance below one half does to a few pictures: nothing.
func certain(v any) any { x, _ := trials.Number(v); return x > 0.5 }

func fake() *trainertest.FakeAuditor { return &trainertest.FakeAuditor{Script: script()} }

func study(factors ...studies.Factor) studies.Spec {
	return studies.Spec{Name: "s", Design: studies.DesignOneFactor, Replicates: 3, Seed: 1, Baseline: trials.Params{},
		Trainer: studies.Trainer{Backend: "fake", Data: []string{"d"}, Epochs: 2}, Factors: factors}
}

func levels(name string, vs ...any) studies.Factor { return studies.Factor{Name: name, Levels: vs} }

func between(name string, low, high float64) studies.Factor {
	return studies.Factor{Name: name, Low: &low, High: &high}
}

func run(t *testing.T, spec studies.Spec, b trainer.Backend, opts audit.Options) trials.Audit {
	t.Helper()
	if opts.Dir == "" {
		opts.Dir = t.TempDir()
	}
	a, err := audit.Run(t.Context(), spec, b, opts)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// words puts a verdict into one line.
func words(l *trials.Liveness) string {
	if l == nil {
		return "nil"
	}
	s := l.Verdict
	if l.Verdict == "" {
		s = "none"
	}
	if l.Dead {
		s += " dead"
	}
	if l.Channel != "" {
		s += fmt.Sprintf(" %s@%d", l.Channel, l.Step)
	}
	if len(l.Groups) > 0 {
		s += fmt.Sprint(" ", l.Groups)
	}
	if l.Fault != "" {
		s += " fault"
	}
	return s
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name     string
		spec     studies.Spec
		noise    float64
		knob     string
		official string
		run      string
		says     string // in reason, remedy or fault as the study runs it
	}{
		{"live late in the second step", study(levels("lr0", 0.01, 0.02)), 0, "lr0", "LIVE lr@2", "LIVE lr@2", ""},
		{"made live by mapsweep", study(levels("box", 7.5, 10.0)), 0, "box", "INERT dead", "LIVE loss@1", ""},
		{"inert", study(levels("obj", 0.7, 1.0, 2.0)), 0, "obj", "INERT dead", "INERT dead", "0.7, 1 and 2 gave the same 3 steps, bit by bit"},
		{"some levels under the floor", study(levels("warmup", 3.0, 1.0, 30.0, 0.0)), 0, "warmup",
			"SATURATED lr@1 [[3 1 0] [30]]", "SATURATED lr@1 [[3 1 0] [30]]", "3, 1 and 0 gave the same"},
		{"all levels under the floor", study(levels("warmup", 3.0, 1.0)), 0, "warmup",
			"SATURATED dead lr@1 [[3 1]]", "SATURATED dead lr@1 [[3 1]]", "30 does not"},
		{"a floor that is far away", study(levels("warmup", 0.3, 0.1)), 0, "warmup",
			"SATURATED dead lr@1 [[0.3 0.1]]", "SATURATED dead lr@1 [[0.3 0.1]]", "1000 does not"},
		{"all levels above it", study(levels("warmup", 30.0, 20.0)), 0, "warmup", "LIVE lr@1", "LIVE lr@1", ""},
		{"a chance is tried as 0 and 1", study(levels("mosaic", 1.0, 0.9)), 0, "mosaic", "LIVE input@1", "LIVE input@1", ""},
		{"small chances are alive", study(levels("mixup", 0.1, 0.0)), 0, "mixup", "LIVE input@1", "LIVE input@1", ""},
		{"a parent that is on now and then is on for sure", with(study(levels("mixup", 0.1, 0.0)), "mosaic", 0.3), 0, "mixup", "LIVE input@1", "LIVE input@1", ""},
		{"parent is off", with(study(levels("mixup", 0.1, 0.0)), "mosaic", 0.0), 0, "mixup",
			"CONDITIONAL dead input@1", "CONDITIONAL dead input@1", "set mosaic=1"},
		{"parent is on in part of the study", designed(with(study(levels("mixup", 0.1, 0.0), levels("mosaic", 0.0, 1.0)), "mosaic", 0.0), studies.DesignFactorial), 0, "mixup",
			"CONDITIONAL input@1", "CONDITIONAL input@1", "part of the study"},
		{"parent is on in the full configuration", designed(with(study(levels("mixup", 0.0, 0.1), levels("mosaic", 0.0, 1.0)), "mosaic", 0.0), studies.DesignLeaveOneOut), 0, "mixup",
			"LIVE input@1", "LIVE input@1", ""},
		{"acts later", study(levels("patience", 10.0, 20.0)), 0, "patience", "UNJUDGED", "UNJUDGED", "acts when training ends"},
		{"a level fails, the others differ", study(levels("fragile", 1.0, 2.0, 9.0)), 0, "fragile", "LIVE loss@1 fault", "LIVE loss@1 fault", "fragile=9 could not be run: the loss became NaN"},
		{"a level fails, one is left", study(levels("fragile", 1.0, 9.0)), 0, "fragile", "none fault", "none fault", "became NaN"},
		{"a level breaks the trainer", study(levels("bomb", 1.0, 2.0, 9.0), levels("lr0", 0.01, 0.02)), 0, "bomb", "LIVE loss@1 fault", "LIVE loss@1 fault", "exit status 139"},
		{"and the others have their verdict", study(levels("bomb", 1.0, 9.0), levels("lr0", 0.01, 0.02)), 0, "lr0", "LIVE lr@2", "LIVE lr@2", ""},
		{"words", study(levels("optimizer", "SGD", "Adam")), 0, "optimizer", "LIVE weights@1", "LIVE weights@1", ""},
		{"noise hides nothing that is large", study(levels("lr0", 0.01, 0.02), levels("box", 7.5, 10.0)), 1e-5, "box", "INERT dead", "LIVE loss@1", ""},
		{"noise makes nothing alive", study(levels("obj", 0.7, 1.0)), 1e-5, "obj", "INERT dead", "INERT dead", "as far as two equal runs are"},
		{"a range is probed", designed(study(between("warmup", 0, 40)), studies.DesignSearch), 0, "warmup",
			"SATURATED lr@1 [[0 10] [20] [30] [40]]", "SATURATED lr@1 [[0 10] [20] [30] [40]]", ""},
		{"what it took instead", study(levels("deaf", 1.0, 2.0)), 0, "deaf", "INERT dead", "INERT dead", "asked for deaf=2, but the trainer took 1"},
		{"the seed", study(), 0, "seed", "LIVE input@1", "LIVE input@1", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := fake()
			f.Noise = c.noise
			a := run(t, c.spec, f, audit.Options{Official: true})
			r, ok := a.Row(c.knob, "d")
			if !ok {
				t.Fatalf("no row of %s: %+v", c.knob, a.Rows)
			}
			if got := words(r.Official); got != c.official {
				t.Errorf("official: %s, want %s", got, c.official)
			}
			if got := words(r.Run); got != c.run {
				t.Errorf("as the study runs it: %s, want %s (%+v)", got, c.run, r.Run)
			}
			if text := r.Run.Reason + r.Run.Remedy + r.Run.Fault; !strings.Contains(text, c.says) {
				t.Errorf("says %q, want %q in it", text, c.says)
			}
		})
	}
}

func with(s studies.Spec, name string, v any) studies.Spec {
	s.Baseline = s.Baseline.With(trials.Params{name: v})
	return s
}

func designed(s studies.Spec, d string) studies.Spec { s.Design = d; return s }

func TestFewCalls(t *testing.T) {
	f := fake()
	run(t, study(levels("lr0", 0.01, 0.02, 0.03), levels("box", 7.5, 10.0), levels("mosaic", 1.0, 0.0)), f, audit.Options{Official: true})
	if n := len(f.Calls()); n != 3 { // one as published, one more since box collapses there, and one as the study runs it
		t.Errorf("%d calls", n)
	}
	// Twice the reference (0.01, 7.5 and 1 among the levels are the same), two of lr0, one of box, one of mosaic, another seed.
	if n := len(f.Calls()[0]); n != 7 {
		t.Errorf("%d configurations", n)
	}
	dirs := map[string]bool{}
	for _, j := range f.Calls()[0] {
		dirs[j.Dir] = true
	}
	if len(dirs) != 7 {
		t.Errorf("%d folders", len(dirs))
	}
}

func TestReviewAndSteps(t *testing.T) {
	spec := study(levels("lr0", 0.01, 0.02), levels("obj", 0.7, 1.0), levels("warmup", 3.0, 1.0, 30.0), levels("patience", 1.0, 2.0), levels("fragile", 1.0, 9.0), levels("warmup2", 3.0, 1.0))
	find := func(knob string, v trainer.Verdict) trainer.Finding {
		return trainer.Finding{Knob: knob, Verdict: v, Reason: "the code says so", Remedy: "another trainer"}
	}
	for _, c := range []struct {
		f                    trainer.Finding
		want, source, reason string
	}{
		{find("obj", trainer.Inert), "INERT dead", "steps and code", "the code says so"},
		{find("obj", trainer.Conditional), "CONDITIONAL dead", "steps and code", "the code says so"},
		{find("obj", trainer.Saturated), "SATURATED dead", "steps and code", "the code says so"},
		{find("lr0", trainer.Inert), "LIVE lr@2", "steps", "the trainer's code suggests INERT (the code says so), the steps show otherwise"},
		{find("warmup", trainer.Saturated), "SATURATED lr@1 [[3 1] [30]]", "steps and code", "the code says so; 3 and 1 gave the same 3 steps, bit by bit"},
		{find("warmup", trainer.Inert), "SATURATED lr@1 [[3 1] [30]]", "steps", "the steps show otherwise"},
		{find("warmup2", trainer.Inert), "SATURATED dead lr@1 [[3 1]]", "steps and code", "the code says so; 3 and 1 gave the same 3 steps, bit by bit; 30 does not"},
		{find("patience", trainer.Inert), "INERT dead", "code", "the code says so"},
		{find("fragile", trainer.Inert), "INERT dead fault", "code", "the code says so"},
		{find("seed", trainer.Conditional), "LIVE input@1", "steps", "the steps show otherwise"},
	} {
		f := fake()
		twin := f.Script[3]
		twin.Name = "warmup2"
		f.Script = append(f.Script, twin)
		f.Findings = []trainer.Finding{c.f}
		a := run(t, spec, trainertest.ReviewingFake{FakeAuditor: f}, audit.Options{})
		r, _ := a.Row(c.f.Knob, "d")
		if r.Official != nil {
			t.Error("the trainer as published was audited, too")
		}
		if got := words(r.Run); got != c.want || r.Run.Source != c.source || !strings.Contains(r.Run.Reason, c.reason) {
			t.Errorf("%s %s: %s from %s (%s), want %s from %s (%s)", c.f.Knob, c.f.Verdict, got, r.Run.Source, r.Run.Reason, c.want, c.source, c.reason)
		}
	}
}

// reviewer only knows, and cannot run.
type reviewer struct {
	*trainertest.Fake
	f trainertest.ReviewingFake
}

func (r reviewer) Knobs() []trials.Knob { return r.f.Knobs() }
func (r reviewer) Review(ctx context.Context, p trials.Params, l map[string][]any, bare bool) ([]trainer.Finding, error) {
	return r.f.Review(ctx, p, l, bare)
}

func TestWithoutSteps(t *testing.T) {
	f := fake()
	f.Findings = []trainer.Finding{{Knob: "obj", Verdict: trainer.Inert, Reason: "dead"}}
	b := reviewer{&trainertest.Fake{}, trainertest.ReviewingFake{FakeAuditor: f}}
	spec := study(levels("obj", 0.7, 1.0), levels("lr0", 0.01, 0.02))
	a := run(t, spec, b, audit.Options{})
	obj, _ := a.Row("obj", "d")
	lr, _ := a.Row("lr0", "d")
	if words(obj.Run) != "INERT dead" || words(lr.Run) != "UNJUDGED" || a.Steps != 0 {
		t.Errorf("obj %s, lr0 %s, %d steps", words(obj.Run), words(lr.Run), a.Steps)
	}
	if _, err := audit.Run(t.Context(), spec, &trainertest.Fake{}, audit.Options{Dir: t.TempDir()}); !errors.Is(err, audit.ErrCannot) {
		t.Errorf("a trainer that can do neither: %v", err)
	}
	rev, err := audit.Review(t.Context(), spec, b)
	if err != nil || len(rev.Rows) != 1 || len(audit.Refusals(spec, rev)) != 1 {
		t.Errorf("review %+v, %v", rev, err)
	}
	if rev, err := audit.Review(t.Context(), spec, fake()); err != nil || len(rev.Rows) != 0 {
		t.Errorf("review of a trainer that knows nothing: %+v, %v", rev, err)
	}
}

func TestSeed(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "LIVE input@1"}, {trainer.ChannelWeights, "CONDITIONAL weights@1"}, {"nowhere", "INERT dead"},
	} {
		f := fake()
		f.SeedIn = c.in
		a := run(t, study(levels("lr0", 0.01, 0.02)), f, audit.Options{})
		r, _ := a.Row(trials.AuditSeed, "d")
		if got := words(r.Run); got != c.want {
			t.Errorf("seed in %q: %s, want %s", c.in, got, c.want)
		}
		refused := len(audit.Refusals(study(levels("lr0", 0.01, 0.02)), a)) == 1
		single := study(levels("lr0", 0.01, 0.02))
		single.Replicates = 1
		if refused != (c.in == "nowhere") || len(audit.Refusals(single, a)) != 0 {
			t.Errorf("seed in %q: refused %v, with one replicate %v", c.in, refused, audit.Refusals(single, a))
		}
	}
}

func TestAllKnobs(t *testing.T) {
	a := run(t, study(levels("lr0", 0.01, 0.02)), fake(), audit.Options{All: true, Defaults: trials.Params{"batch": 8}})
	if len(a.Rows) != len(script())+1 {
		t.Errorf("%d rows", len(a.Rows))
	}
	for knob, want := range map[string]string{
		"lr0": "[0.01 0.02] LIVE lr@2", "box": "[7.5 3.75] LIVE loss@1", "obj": "[0.7 0.35] INERT dead", "mosaic": "[0 1] LIVE input@1",
		"optimizer": "[SGD Adam] LIVE weights@1", "weights": "[] UNJUDGED", "batch": "[8 4] LIVE input@1",
	} {
		r, ok := a.Row(knob, "d")
		if got := fmt.Sprint(r.Levels, " ", words(r.Run)); !ok || got != want {
			t.Errorf("%s: %s, want %s", knob, got, want)
		}
	}
}

// Several values of a knob that is no factor tell where it saturates.
func TestValues(t *testing.T) {
	a := run(t, study(levels("lr0", 0.01, 0.02)), fake(), audit.Options{All: true, Values: 5})
	for knob, want := range map[string]string{
		"lr0": "[0.01 0.02] LIVE lr@2", "box": "[7.5 3.75 15 1.875 30] LIVE loss@1", "obj": "[0.7 0.35 1.4 0.175 2.8] INERT dead",
		"warmup": "[3 1.5 6 0.75 12] SATURATED", "mosaic": "[0 1] LIVE input@1", "batch": "[16 8 32 17 4] LIVE input@1",
	} {
		r, ok := a.Row(knob, "d")
		if got := fmt.Sprint(r.Levels, " ", words(r.Run)); !ok || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", knob, got, want)
		}
	}
	if len(audit.Refusals(study(levels("lr0", 0.01, 0.02)), a)) != 0 {
		t.Error("a knob that the study does not vary was refused")
	}
}

// What a trainer shows of its last epoch comes after all steps, and only if both runs show it.
func TestEnd(t *testing.T) {
	late := fake()
	late.Script = append(late.Script, trainertest.FakeKnob{Knob: float("closing", 0, 0, 10), Late: "in the last epoch", End: true})
	a := run(t, study(levels("closing", 0.0, 1.0), levels("mosaic", 1.0, 0.0), levels("obj", 0.7, 1.0)), late, audit.Options{})
	for knob, want := range map[string]string{"closing": fmt.Sprint("LIVE input@", trials.AuditEnd), "mosaic": "LIVE input@1", "obj": "INERT dead"} {
		if r, _ := a.Row(knob, "d"); words(r.Run) != want {
			t.Errorf("%s: %s, want %s", knob, words(r.Run), want)
		}
	}
}

func TestSomeKnobs(t *testing.T) {
	a := run(t, study(levels("lr0", 0.01, 0.02)), fake(), audit.Options{Knobs: []string{"box", "seed"}})
	if len(a.Rows) != 2 {
		t.Errorf("rows %+v", a.Rows)
	}
	var unknown *audit.UnknownError
	if _, err := audit.Run(t.Context(), study(), fake(), audit.Options{Knobs: []string{"mosiac"}}); !errors.As(err, &unknown) || unknown.Near != "mosaic" {
		t.Errorf("an unknown knob: %v", err)
	}
}

func TestBrokenTrainer(t *testing.T) {
	f := fake()
	f.Broken = errors.New("no module named torch")
	_, err := audit.Run(t.Context(), study(levels("lr0", 0.01, 0.02)), f, audit.Options{Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "no module named torch") || len(f.Calls()) != 2 {
		t.Errorf("%v after %d calls", err, len(f.Calls()))
	}
	f = fake()
	_, err = audit.Run(t.Context(), with(study(levels("lr0", 0.01, 0.02)), "fragile", 9.0), f, audit.Options{Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "run the reference: the loss became NaN") {
		t.Errorf("a reference that fails: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f = fake()
	if _, err = audit.Run(ctx, study(levels("lr0", 0.01, 0.02)), f, audit.Options{Dir: t.TempDir()}); !errors.Is(err, context.Canceled) || len(f.Calls()) != 1 {
		t.Errorf("cancelled: %v after %d calls", err, len(f.Calls()))
	}
	if _, err := audit.Run(t.Context(), study(), fake(), audit.Options{Steps: 1}); err == nil {
		t.Error("one step is enough")
	}
}

func TestDataSets(t *testing.T) {
	spec := study(levels("box", 7.5, 10.0), levels("obj", 0.7, 1.0))
	spec.Trainer.Data = []string{"one", "two"}
	a := run(t, spec, fake(), audit.Options{})
	if len(a.Rows) != 6 {
		t.Errorf("%d rows", len(a.Rows))
	}
	var got []string
	for _, r := range audit.Refusals(spec, a) {
		got = append(got, r.String())
	}
	want := []string{"obj: INERT on one: 0.7 and 1 gave the same 3 steps, bit by bit", "obj: INERT on two: 0.7 and 1 gave the same 3 steps, bit by bit"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name string
		spec studies.Spec
		want []string
	}{
		{"alive", study(levels("lr0", 0.01, 0.02), levels("mixup", 0.1, 0.0)), nil},
		{"inert", study(levels("obj", 0.7, 1.0)), []string{"obj"}},
		{"two of three alike", study(levels("warmup", 3.0, 1.0, 30.0)), []string{"warmup"}},
		{"none alike", study(levels("warmup", 3.0, 30.0)), nil},
		{"part of a range", designed(study(between("warmup", 0, 40)), studies.DesignSearch), nil},
		{"a whole range", designed(study(between("warmup", 0, 10)), studies.DesignSearch), []string{"warmup"}},
		{"conditional, and on in part of it", designed(with(study(levels("mixup", 0.1, 0.0), levels("mosaic", 0.0, 1.0)), "mosaic", 0.0), studies.DesignFactorial), nil},
		{"later", study(levels("patience", 10.0, 20.0)), nil},
		{"no verdict", study(levels("fragile", 1.0, 9.0)), nil},
	} {
		a := run(t, c.spec, fake(), audit.Options{})
		e := &audit.RefusedError{Study: "s", Refusals: audit.Refusals(c.spec, a)}
		if diff := cmp.Diff(c.want, e.Names()); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		for _, n := range c.want {
			if !strings.Contains(e.Error(), "\n  "+n+": ") || !strings.Contains(e.Error(), "--allow-inert") {
				t.Errorf("%s: %v", c.name, e)
			}
		}
	}
}

func TestCurrent(t *testing.T) {
	f := fake()
	spec := study(levels("lr0", 0.01, 0.02), levels("obj", 0.7, 1.0))
	a := run(t, spec, f, audit.Options{})
	same, stale := audit.Current(spec, f, a)
	if len(same.Rows) != 3 || len(stale) != 0 {
		t.Errorf("unchanged: %d rows, stale %v", len(same.Rows), stale)
	}
	spec.Factors[0].Levels = []any{0.01, 0.02, 0.05}
	part, stale := audit.Current(spec, f, a)
	if len(part.Rows) != 2 || !cmp.Equal(stale, []string{"lr0"}) || len(a.Rows) != 3 {
		t.Errorf("another level: %d rows, stale %v", len(part.Rows), stale)
	}
	again := run(t, spec, f, audit.Options{Knobs: []string{"lr0"}})
	if m := audit.Merge(a, again); len(m.Rows) != 3 {
		t.Errorf("merged %d rows", len(m.Rows))
	}
	again.Context = "other"
	if m := audit.Merge(a, again); len(m.Rows) != 1 {
		t.Errorf("merged %d rows of two contexts", len(m.Rows))
	}
}

func TestContext(t *testing.T) {
	f := fake()
	prov := trials.Provenance{Version: "1", Data: []trials.DataSource{{Name: "d", Hash: "h"}}, Extra: map[string]string{"torch": "2.8"}}
	base := study(levels("lr0", 0.01, 0.02))
	first := audit.Context(base, f, prov)
	for _, c := range []struct {
		name   string
		change func(s *studies.Spec, p *trials.Provenance, f *trainertest.FakeAuditor)
		same   bool
	}{
		{"nothing", func(*studies.Spec, *trials.Provenance, *trainertest.FakeAuditor) {}, true},
		{"a further level", func(s *studies.Spec, _ *trials.Provenance, _ *trainertest.FakeAuditor) {
			s.Factors = []studies.Factor{levels("lr0", 0.01, 0.02, 0.1)}
		}, true},
		{"more replicates", func(s *studies.Spec, _ *trials.Provenance, _ *trainertest.FakeAuditor) { s.Replicates = 9 }, true},
		{"one replicate", func(s *studies.Spec, _ *trials.Provenance, _ *trainertest.FakeAuditor) { s.Replicates = 1 }, false},
		{"the machine", func(_ *studies.Spec, p *trials.Provenance, _ *trainertest.FakeAuditor) { p.Host = "other" }, true},
		{"baseline", func(s *studies.Spec, _ *trials.Provenance, _ *trainertest.FakeAuditor) {
			s.Baseline = trials.Params{"mosaic": 0.0}
		}, false},
		{"batch", func(s *studies.Spec, _ *trials.Provenance, _ *trainertest.FakeAuditor) { s.Trainer.Batch = 3 }, false},
		{"data", func(_ *studies.Spec, p *trials.Provenance, _ *trainertest.FakeAuditor) {
			p.Data = []trials.DataSource{{Name: "d", Hash: "other"}}
		}, false},
		{"torch", func(_ *studies.Spec, p *trials.Provenance, _ *trainertest.FakeAuditor) {
			p.Extra = map[string]string{"torch": "2.9"}
		}, false},
		{"mapsweep", func(_ *studies.Spec, p *trials.Provenance, _ *trainertest.FakeAuditor) { p.Version = "2" }, false},
		{"knobs", func(_ *studies.Spec, _ *trials.Provenance, f *trainertest.FakeAuditor) { f.Script = f.Script[1:] }, false},
	} {
		s, p, g := base, prov, fake()
		c.change(&s, &p, g)
		if same := audit.Context(s, g, p) == first; same != c.same {
			t.Errorf("%s: same %v, want %v", c.name, same, c.same)
		}
	}
}
