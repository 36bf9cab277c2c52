package reports_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/reports/internal/golden"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/memory"
)

type maker = func() (trials.Study, []trials.Trial)

func snapshot(t *testing.T, mk maker) *reports.Snapshot {
	t.Helper()
	s, err := reports.New(mk())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func search() (trials.Study, []trials.Trial) { return fixture.Search(40) }

// store puts a made-up study into a real store.
func store(t *testing.T, mk maker) trials.Reader {
	t.Helper()
	ctx := context.Background()
	m := memory.New()
	st, ts := mk()
	st, err := m.CreateStudy(ctx, st)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range ts {
		tr, err := m.Enqueue(ctx, st.ID, trials.Suggestion{Key: x.Key, Space: x.Space, Params: x.Params, Attrs: x.Attrs})
		if err != nil {
			t.Fatal(err)
		}
		if tr, err = m.Claim(ctx, st.ID, "test"); err != nil {
			t.Fatal(err)
		}
		for _, e := range x.Measurements {
			if err := m.Record(ctx, tr.ID, e); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Finish(ctx, tr.ID, trials.Outcome{State: x.State, Values: x.Values}); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestLoad(t *testing.T) {
	ctx := context.Background()
	r := store(t, fixture.Quickstart().Build)
	got, err := reports.Load(ctx, r, "quickstart")
	if err != nil {
		t.Fatal(err)
	}
	want := snapshot(t, fixture.Quickstart().Build)
	g, w := reports.Text(got.Answer(&got.Blocks[0])), reports.Text(want.Answer(&want.Blocks[0]))
	if g != w {
		t.Errorf("from the store:\n%s\nwant\n%s", g, w)
	}
	if got.Count != want.Count || len(got.Blocks[0].Arms) != 5 || got.Study.Provenance.Commit != "0123456789ab" {
		t.Errorf("loaded %+v, %d arms, %+v", got.Count, len(got.Blocks[0].Arms), got.Study.Provenance)
	}
	if _, err := reports.Load(ctx, r, "nothing"); !errors.Is(err, trials.ErrNoStudy) || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("unknown study: %v", err)
	}
}

// A study that Optuna made has no file of ours.
func TestForeignStudy(t *testing.T) {
	st, ts := fixture.Search(5)
	st.Resolved, st.File, st.Provenance, st.Objective = nil, nil, trials.Provenance{}, ""
	s, err := reports.New(st, ts)
	if err != nil {
		t.Fatal(err)
	}
	if s.Search == nil || len(s.Search.Candidates) == 0 || len(s.Search.Space) != 4 || s.Metric.Key != "objective" || s.Metric.Points {
		t.Errorf("metric %+v, search %+v", s.Metric, s.Search)
	}
	st.Resolved = json.RawMessage("{")
	if _, err := reports.New(st, ts); err == nil || !strings.Contains(err.Error(), "small-data") {
		t.Errorf("broken file: %v", err)
	}
}

// The answers in words are looked at by people: every kind of study has its line in the golden file.
func TestAnswers(t *testing.T) {
	all := fixture.Degenerate()
	all["quickstart"] = fixture.Quickstart().Build
	all["many"] = fixture.Many(20, 3).Build
	all["search"] = search
	loo := fixture.Quickstart()
	loo.Design = "leave-one-out"
	all["leave-one-out"] = loo.Build
	grid := fixture.Quickstart()
	grid.Design = "grid"
	all["grid"] = grid.Build
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s := snapshot(t, all[name])
		if !s.Count.Holds() {
			t.Errorf("%s: accounting does not hold: %+v", name, s.Count)
		}
		b.WriteString(name + ": " + reports.Text(s.Answer(&s.Blocks[0])) + "\n")
		for _, w := range s.Warnings {
			b.WriteString("  warning: " + w + "\n")
		}
		for _, claim := range []string{"has no effect", "have no effect", "no difference between"} {
			if strings.Contains(b.String(), claim) {
				t.Errorf("%s claims too much: %s", name, claim)
			}
		}
	}
	golden.Check(t, "answers.txt", []byte(b.String()))
}

func TestAccounting(t *testing.T) {
	st, ts := fixture.Quickstart().Build()
	fixture.Prune(&ts[0], 3)
	fixture.Fail(&ts[1], 2, trials.ClassDiverged, "loss became NaN at step 40")
	fixture.Fail(&ts[2], 0, trials.ClassInfeasible, "batch does not fit")
	fixture.Fail(&ts[3], 0, trials.ClassSkipped, "over the budget")
	fixture.Fail(&ts[4], 0, trials.ClassLost, "worker vanished")
	ts[4].Attrs[trials.AttrRetriedBy] = trials.Attr(25)
	again := fixture.Trial(25, ts[4].Params, 3, 0.6, newRand())
	for k, v := range ts[4].Attrs {
		switch k {
		case trials.AttrArm, trials.AttrReplicate, trials.AttrSeed, trials.AttrData:
			again.Attrs[k] = v
		}
	}
	fixture.Run(&ts[5], 2)
	fixture.Wait(&ts[6])
	hand := fixture.Trial(26, ts[7].Params, 3, 0.9, newRand())
	hand.Key = "by-hand mosaic=0"
	got := snapshot(t, func() (trials.Study, []trials.Trial) { return st, append(ts[:24], again, hand) }) // one not enqueued yet
	want := reports.Accounting{Planned: 26, Complete: 19, Pruned: 1, Failed: 1, Infeasible: 1, Skipped: 1, Running: 1, Waiting: 1, Repeated: 1, Missing: 1}
	if got.Count != want || !got.Count.Holds() || got.Count.Done() {
		t.Errorf("accounting %+v, want %+v", got.Count, want)
	}
	if len(got.Failures) != 4 || got.Failures[0].Reason != "loss became NaN at step 40" || !got.Failures[3].Repeated {
		t.Errorf("failures %+v", got.Failures)
	}
}

// Arms that change several things are kept apart, and many that cannot be compared are counted.
func TestAnswerOfFactorial(t *testing.T) {
	st, ts := fixture.Factorial(3, 1).Build()
	for i := 15; i < len(ts); i++ {
		fixture.Wait(&ts[i])
	}
	s := snapshot(t, func() (trials.Study, []trials.Trial) { return st, ts })
	got := reports.Text(s.Answer(&s.Blocks[0]))
	if !strings.Contains(got, " points); factor_0 ") || !strings.Contains(got, "12 variants cannot be compared yet") {
		t.Error(got)
	}
}

// What a search over its budget never proposed is skipped, as the engine counts it; a skipped trial that ran after all
// is no repeated failure.
func TestAccountingOfBudget(t *testing.T) {
	st, ts := fixture.Search(10)
	ts = ts[:4]
	for i := range ts {
		ts[i].Attempts = []trials.Attempt{{Number: 1, Started: ts[i].Started, Ended: ts[i].Finished}}
	}
	count := func(hours float64) reports.Accounting {
		var spec studies.Spec
		if err := json.Unmarshal(st.Resolved, &spec); err != nil {
			t.Fatal(err)
		}
		spec.Budget.DeviceHours = hours
		c := fixture.Study(spec)
		return snapshot(t, func() (trials.Study, []trials.Trial) { return c, ts }).Count
	}
	used := 4 * 25.0 / 3600
	for _, c := range []struct {
		hours float64
		want  reports.Accounting
	}{
		{0, reports.Accounting{Planned: 10, Complete: 4, Waiting: 6}},
		{2 * used, reports.Accounting{Planned: 10, Complete: 4, Waiting: 6}},
		{used / 2, reports.Accounting{Planned: 10, Complete: 4, Skipped: 6}},
	} {
		if got := count(c.hours); got != c.want {
			t.Errorf("budget of %g h: %+v, want %+v", c.hours, got, c.want)
		}
	}
	fixture.Run(&ts[3], 2)
	if got, want := count(used/2), (reports.Accounting{Planned: 10, Complete: 3, Running: 1, Waiting: 6}); got != want {
		t.Errorf("with a trial that still runs: %+v, want %+v", got, want)
	}
	fixture.Fail(&ts[3], 0, trials.ClassSkipped, "over the budget")
	ts[3].Attrs[trials.AttrRetriedBy] = trials.Attr(4)
	if got := count(0); got.Repeated != 0 || got.Planned != 10 {
		t.Errorf("skipped and run after all: %+v", got)
	}
}

// Wall time is the time during which a trial ran: gaps do not count, overlaps count once.
func TestTiming(t *testing.T) {
	at := func(s int) time.Time { return fixture.Start.Add(time.Duration(s) * time.Second) }
	st, _ := fixture.Quickstart().Build()
	ts := []trials.Trial{
		{Number: 0, State: trials.Complete, Started: at(0), Finished: at(10)},
		{Number: 1, State: trials.Complete, Started: at(5), Finished: at(20)},
		{Number: 2, State: trials.Complete, Started: at(100), Finished: at(130), Attempts: []trials.Attempt{
			{Number: 1, Started: at(50)}, // vanished
			{Number: 2, Started: at(100), Ended: at(130)},
		}},
		{Number: 3, State: trials.Running, Started: at(120), Heartbeat: at(140)},
		{Number: 4, State: trials.Running, Started: at(60), Heartbeat: at(72), Attempts: []trials.Attempt{{Number: 1, Started: at(60)}}}, // vanished, unnoticed
	}
	s := snapshot(t, func() (trials.Study, []trials.Trial) { return st, ts })
	if s.Time.Wall != 110*time.Second || s.Time.Device != (10+15+80+20+12)*time.Second || !s.AsOf.Equal(at(140)) {
		t.Errorf("wall %v, device %v, as of %v", s.Time.Wall, s.Time.Device, s.AsOf)
	}
}

func TestEffects(t *testing.T) {
	s := snapshot(t, fixture.Quickstart().Build)
	b := &s.Blocks[0]
	var order []string
	for _, a := range b.Arms {
		order = append(order, a.Label)
	}
	if got := strings.Join(order, "; "); got != "baseline; mosaic 1 → 0; mixup 0.15 → 0; copy_paste 0.3 → 0; autoaugment none → randaugment" {
		t.Errorf("arms %s", got)
	}
	ref, _ := b.Reference()
	var es []inference.Effect
	for _, a := range b.Arms[1:] {
		x, y := map[int]float64{}, map[int]float64{}
		for i := range a.Scores {
			x[i], y[i] = ref.Scores[i].Value, a.Scores[i].Value
		}
		es = append(es, inference.Compare(x, y, inference.Options{Margin: 0.002}))
	}
	for i, e := range inference.Family(es) {
		g := b.Effects[i]
		if g.Mean != e.Mean || g.Low != e.Low || g.PHolm != e.PHolm || g.Verdict != e.Verdict || g.Arm != b.Arms[i+1].Name {
			t.Errorf("effect %+v, want %+v", g, e)
		}
	}
	if !slices.Equal(b.Top, []int{0, 2}) {
		t.Errorf("arms %v are called top, want the baseline and mixup, the only one that is not worse", b.Top)
	}
}

// Equal scores near zero are no equivalence.
func TestFloor(t *testing.T) {
	a := fixture.Quickstart()
	a.Score, a.Noise = 0.0002, 0.00001
	for i := range a.Variants {
		a.Variants[i].Effect, a.Variants[i].Noise = 0, 0.00001
	}
	s := snapshot(t, a.Build)
	if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "0.021 points: it has hardly learned anything") {
		t.Errorf("warnings %q", s.Warnings)
	}
}

// For a loss, smaller is better.
func TestMinimize(t *testing.T) {
	a := fixture.Quickstart()
	st, ts := a.Build()
	st.Resolved = json.RawMessage(strings.Replace(strings.Replace(string(st.Resolved), `"mAP50-95"`, `"loss/box"`, 1), "MAXIMIZE", "MINIMIZE", 1))
	s := snapshot(t, func() (trials.Study, []trials.Trial) { return st, ts })
	e, _ := s.Blocks[0].Effect("mosaic=0")
	if s.Metric.Points || e.Verdict != inference.Better || s.Sorted(&s.Blocks[0])[0].Mean > 0 {
		t.Errorf("metric %+v: %s by %g", s.Metric, e.Verdict, e.Mean)
	}
	if s.Blocks[0].Margin != 0 {
		t.Error("a loss has a margin in points")
	}
}

func TestBlocks(t *testing.T) {
	a := fixture.Quickstart()
	a.Data = []string{"builtin:trees", "builtin:digits"}
	s := snapshot(t, a.Build)
	if len(s.Blocks) != 2 || s.Blocks[0].Data != "builtin:trees" || s.Blocks[1].Data != "builtin:digits" {
		t.Fatalf("%d blocks", len(s.Blocks))
	}
	for _, b := range s.Blocks {
		if len(b.Arms) != 5 || len(b.Effects) != 4 || b.Effects[0].Comparisons != 4 || b.Effects[0].N != 5 {
			t.Errorf("block %s: %d arms, %d effects", b.Data, len(b.Arms), len(b.Effects))
		}
	}
	if s.Only(1).Blocks[0].Data != "builtin:digits" || len(s.Blocks) != 2 {
		t.Error("Only took the wrong block")
	}
	if s.Count.Planned != 50 {
		t.Errorf("planned %d", s.Count.Planned)
	}
}

func TestLeaveOneOut(t *testing.T) {
	a := fixture.Quickstart()
	a.Design = "leave-one-out"
	a.Variants[0].Arm = "without mosaic"
	s := snapshot(t, a.Build)
	ref, ok := s.Blocks[0].Reference()
	if !ok || ref.Name != design.Full || s.Blocks[0].Arms[1].Label != "without mosaic" {
		t.Errorf("reference %v, label %s", ref, s.Blocks[0].Arms[1].Label)
	}
}

func TestSearchHistory(t *testing.T) {
	s := snapshot(t, search)
	best := math.NaN()
	for i, x := range s.Search.Steps {
		if !x.Pruned && !(x.Value <= best) {
			best = x.Value
		}
		if x.Best != best && !(math.IsNaN(x.Best) && math.IsNaN(best)) {
			t.Errorf("step %d: best so far %g, want %g", i, x.Best, best)
		}
	}
	if c := s.Search.Candidates; len(c) != s.Count.Complete || c[0].Mean != best || c[0].Mean < c[1].Mean {
		t.Errorf("%d candidates, best %g, want %g", len(c), c[0].Mean, best)
	}
}

// A pruned trial's last score is not a result: it never is the best.
func TestPrunedIsNotBest(t *testing.T) {
	st, ts := search()
	fixture.Prune(&ts[3], 4)
	ts[3].Values = []float64{0.99}
	s := snapshot(t, func() (trials.Study, []trials.Trial) { return st, ts })
	if s.Search.Candidates[0].Mean > 0.9 || s.Search.Steps[len(s.Search.Steps)-1].Best > 0.9 {
		t.Error("a pruned trial is called the best")
	}
}

// A point that was enqueued by hand and repeats an arm's seed adds nothing to the arm.
func TestByHand(t *testing.T) {
	st, ts := fixture.Quickstart().Build()
	hand := fixture.Trial(25, ts[1].Params, 3, 0.9, newRand())
	hand.Key = "by-hand mosaic=0"
	for k, v := range ts[1].Attrs {
		hand.Attrs[k] = v
	}
	s := snapshot(t, func() (trials.Study, []trials.Trial) { return st, append(ts, hand) })
	without := snapshot(t, fixture.Quickstart().Build)
	a, b := s.Blocks[0].Arms[1], without.Blocks[0].Arms[1]
	if len(a.Scores) != 5 || a.Mean != b.Mean || s.Blocks[0].Effects[0].Mean != without.Blocks[0].Effects[0].Mean {
		t.Errorf("%d scores, mean %g, want 5 and %g", len(a.Scores), a.Mean, b.Mean)
	}
	if s.Count.Planned != 26 {
		t.Errorf("planned %d", s.Count.Planned)
	}
}

func TestBands(t *testing.T) {
	var cs []reports.Curve
	for _, v := range []float64{3, 1, 10, 2, 4} { // quantiles of 1 2 3 4 10 by hand, type 7: 1.4, 3, 7.6
		cs = append(cs, reports.Curve{Points: []reports.Point{{Epoch: 2, Value: v}}})
	}
	cs[0].Points = append(cs[0].Points, reports.Point{Epoch: 5, Value: 7})
	b := reports.Bands(cs)
	if len(b) != 2 || b[0].N != 5 || b[0].Median != 3 || math.Abs(b[0].Low-1.4) > 1e-12 || math.Abs(b[0].High-7.6) > 1e-12 {
		t.Errorf("bands %+v", b)
	}
	if b[1] != (reports.Band{Epoch: 5, Low: 7, Median: 7, High: 7, N: 1}) {
		t.Errorf("a single trial gives %+v", b[1])
	}
	tr := trials.Trial{Measurements: []trials.Measurement{
		{Epoch: 1, Metrics: map[string]float64{"m": math.NaN()}}, {Epoch: 2, Metrics: map[string]float64{"m": 1}}, {Epoch: 3},
	}}
	if c := reports.CurveOf(tr, "m"); len(c.Points) != 1 || c.Points[0].Epoch != 2 {
		t.Errorf("curve with gaps %+v", c)
	}
}

// Other metrics are read at the epoch that gave the objective.
func TestAt(t *testing.T) {
	tr := trials.Trial{Attrs: map[string]json.RawMessage{trials.AttrScoreEpoch: trials.Attr(1)}, Measurements: []trials.Measurement{
		{Epoch: 1, Metrics: map[string]float64{"m": 5}}, {Epoch: 2, Metrics: map[string]float64{"m": 6}}}}
	if v, ok := reports.At(tr, "m"); !ok || v != 5 {
		t.Errorf("at the scored epoch: %v", v)
	}
	delete(tr.Attrs, trials.AttrScoreEpoch)
	if v, ok := reports.At(tr, "m"); !ok || v != 6 {
		t.Errorf("at the last epoch: %v", v)
	}
}

// Scores that are alike near zero are no sign of equality: the detector has not learned yet.
func TestUnlearnedIsNotEquivalent(t *testing.T) {
	st, ts := fixture.Quickstart().Build()
	for i := range ts {
		if len(ts[i].Values) > 0 {
			ts[i].Values = []float64{0.004 + 0.00001*float64(i%3)}
		}
	}
	s, err := reports.New(st, ts)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range s.Blocks[0].Effects {
		if e.Verdict == inference.Equivalent {
			t.Errorf("%s: %s, with a baseline of 0.4 points", e.Arm, e.Verdict)
		}
	}
	if len(s.Warnings) == 0 || !strings.Contains(s.Warnings[0], "hardly learned") {
		t.Errorf("warnings: %q", s.Warnings)
	}
}
