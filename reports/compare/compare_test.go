package compare_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/compare"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

func snapshot(t *testing.T, st trials.Study, ts []trials.Trial) *reports.Snapshot {
	t.Helper()
	s, err := reports.New(st, ts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// later is the quickstart study once more: other draws, one variant more and one less, mosaic matters less, and
// copy-paste helps.
func later() fixture.Ablation {
	b := fixture.Quickstart()
	b.Name = "later"
	b.Variants = []fixture.Variant{
		{Arm: "lr0=0.1", Params: trials.Params{"lr0": 0.1}, Effect: -0.02, Noise: 0.006},
		{Arm: "copy_paste=0", Params: trials.Params{"copy_paste": 0.0}, Effect: 0.04, Noise: 0.006},
		{Arm: "mosaic=0", Params: trials.Params{"mosaic": 0.0}, Effect: -0.02, Noise: 0.006},
		{Arm: "mixup=0", Params: trials.Params{"mixup": 0.0}, Effect: -0.004, Noise: 0.008},
	}
	return b
}

func two(t *testing.T) (a, b *reports.Snapshot) {
	t.Helper()
	x, y := fixture.Quickstart(), later()
	return snapshot(t, first(x.Build()), second(x.Build())), snapshot(t, first(y.Build()), second(y.Build()))
}

func first(st trials.Study, _ []trials.Trial) trials.Study    { return st }
func second(_ trials.Study, ts []trials.Trial) []trials.Trial { return ts }

func compared(t *testing.T, a, b *reports.Snapshot, o compare.Options) *compare.Comparison {
	t.Helper()
	c, err := compare.New(a, b, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Variants that change the same are matched whatever their order; their effects are compared as independent ones, all
// of them as one family.
func TestIndependent(t *testing.T) {
	a, b := two(t)
	c := compared(t, a, b, compare.Options{})
	blk := c.Blocks[0]
	var labels []string
	var es []inference.Effect
	for _, r := range blk.Rows {
		labels = append(labels, r.Label)
		es = append(es, inference.Between(r.EffectA.Effect, r.EffectB.Effect, inference.Options{Margin: 0.002, Alpha: 0.05}))
	}
	if !slices.Equal(labels, []string{"mosaic 1 → 0", "mixup 0.15 → 0", "copy_paste 0.3 → 0"}) ||
		!slices.Equal(blk.OnlyA, []string{"autoaugment none → randaugment"}) || !slices.Equal(blk.OnlyB, []string{"lr0 0.02 → 0.1"}) {
		t.Errorf("matched %q, alone %q and %q", labels, blk.OnlyA, blk.OnlyB)
	}
	for i, e := range inference.Family(es) {
		d := blk.Rows[i].Difference
		if d.Mean != e.Mean || d.PHolm != e.PHolm || d.Low != e.Low || d.Verdict != e.Verdict || e.Comparisons != 3 {
			t.Errorf("%s: %v, want %v", labels[i], d, e)
		}
		if want := blk.Rows[i].EffectB.Mean - blk.Rows[i].EffectA.Mean; math.Abs(d.Mean-want) > 1e-15 {
			t.Errorf("%s: the difference is %g, want %g", labels[i], d.Mean, want)
		}
	}
	if got := []string{blk.Rows[0].Agreement(), blk.Rows[2].Agreement()}; got[0] != "worse in both" || got[1] != "worse in A, better in B" || !blk.Rows[2].Contradicts() || !blk.Rows[0].Agrees() {
		t.Errorf("agreements %q", got)
	}
	answer := strings.Join(c.Answer(), "\n")
	for _, w := range []string{"No difference between the scores of the baseline is shown", "contradict each other on copy_paste 0.3 → 0 (worse in A, better in B:",
		"The verdicts agree on mosaic 1 → 0 (worse in both:", "1 variant in A alone, 1 in B alone"} {
		if !strings.Contains(answer, w) {
			t.Errorf("no %q in\n%s", w, answer)
		}
	}
	if notes := strings.Join(c.Notes, "\n"); !strings.Contains(notes, "--paired compares seed by seed") {
		t.Errorf("notes:\n%s", notes)
	}
}

// Paired, a difference of effects is a mean over seeds.
func TestPaired(t *testing.T) {
	a, b := two(t)
	c := compared(t, a, b, compare.Options{Paired: true, Arm: "mosaic=0"})
	rows := c.Blocks[0].Rows
	if len(rows) != 1 {
		t.Fatalf("%d rows", len(rows))
	}
	d := map[int64]float64{}
	zero := map[int64]float64{}
	for i, s := range rows[0].B.Scores {
		d[s.Seed] = s.Value - c.Blocks[0].Reference.B.Scores[i].Value - (rows[0].A.Scores[i].Value - c.Blocks[0].Reference.A.Scores[i].Value)
		zero[s.Seed] = 0
	}
	want := inference.Compare(zero, d, inference.Options{Paired: true})
	if got := rows[0].Difference; math.Abs(got.Mean-want.Mean) > 1e-12 || math.Abs(got.P-want.P) > 1e-9 || got.Method != inference.Paired || got.N != 5 {
		t.Errorf("%v by %s, want %v", got, got.Method, want)
	}
	if m := c.Blocks[0].Reference.Difference.Method; m != inference.Paired {
		t.Errorf("the baselines are compared by %s", m)
	}
}

// edit changes the resolved file and provenance of a study.
func edit(st trials.Study, change func(*studies.Spec, *trials.Provenance)) trials.Study {
	var spec studies.Spec
	if err := json.Unmarshal(st.Resolved, &spec); err != nil {
		panic(err)
	}
	p := st.Provenance
	p.Data = slices.Clone(p.Data)
	change(&spec, &p)
	raw, err := json.Marshal(spec)
	if err != nil {
		panic(err)
	}
	st.Resolved, st.Provenance = raw, p
	return st
}

// What cannot be compared is refused with a sentence.
func TestRefused(t *testing.T) {
	a, b := two(t)
	_, ts := later().Build()
	st := b.Study
	otherSeeds := slices.Clone(ts)
	for i := range otherSeeds {
		otherSeeds[i].Attrs = map[string]json.RawMessage{}
		for k, v := range ts[i].Attrs {
			otherSeeds[i].Attrs[k] = v
		}
		otherSeeds[i].Attrs[trials.AttrSeed] = trials.Attr(7 + ts[i].Replicate())
	}
	trees, digits := later(), later()
	trees.Data, digits.Data = []string{"trees", "leaves"}, []string{"digits"}
	search := snapshot(t, first(fixture.Search(20)), second(fixture.Search(20)))
	for name, c := range map[string]struct {
		b    *reports.Snapshot
		o    compare.Options
		want string
	}{
		"another metric": {snapshot(t, edit(st, func(s *studies.Spec, _ *trials.Provenance) { s.Objective.Metric = "mAP50" }), ts), compare.Options{},
			"score different things: A mAP50-95, B mAP50; --metric"},
		"another direction": {snapshot(t, edit(st, func(s *studies.Spec, _ *trials.Provenance) { s.Objective.Direction = trials.Minimize }), ts), compare.Options{},
			"A maximizes mAP50-95, B minimizes it"},
		"a search":           {search, compare.Options{}, "no variants to match"},
		"an unknown metric":  {b, compare.Options{Metric: "mAP51"}, "no trial measured it"},
		"an unknown variant": {b, compare.Options{Arm: "mosaic=3"}, `no variant "mosaic=3" is in both studies; they share mosaic 1 → 0; mixup`},
		"no data in common":  {snapshot(t, first(trees.Build()), second(trees.Build())), compare.Options{}, "no data set of the same name: A builtin:digits; B trees, leaves"},
		"paired, other data": {snapshot(t, edit(st, func(_ *studies.Spec, p *trials.Provenance) { p.Data[0].Hash = "0000" }), ts), compare.Options{Paired: true},
			"the data differ: builtin:digits (9f8e7d6c5b4a) and builtin:digits (0000)"},
		"paired, unknown data": {snapshot(t, first(digits.Build()), second(digits.Build())), compare.Options{Paired: true}, "is not known, and so not whether the pictures are the same"},
		"paired, another trainer": {snapshot(t, edit(st, func(s *studies.Spec, _ *trials.Provenance) { s.Trainer.Backend = studies.BackendYOLOv9 }), ts), compare.Options{Paired: true},
			"the trainers are native and yolov9"},
		"paired, other seeds": {snapshot(t, st, otherSeeds), compare.Options{Paired: true}, "replicate 0 has seed 1000 in A and 7 in B"},
		"paired, settled":     {snapshot(t, first(fixture.Settled()), second(fixture.Settled())), compare.Options{Paired: true}, "a paired t interval would be too narrow"},
	} {
		_, err := compare.New(a, c.b, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Everything that is recorded to differ is listed; what changes no score is not.
func TestDifferences(t *testing.T) {
	a, b := two(t)
	b = snapshot(t, edit(b.Study, func(s *studies.Spec, p *trials.Provenance) {
		s.Trainer.Epochs, s.Description, s.Budget.Parallel, s.Keep.Best = 40, "again", 7, 3
		p.Commit, p.CPU, p.Extra = "feedbeef", "Other CPU", map[string]string{"instruction set": "avx2", "parameters": "424922"}
	}), b.Trials)
	var got []string
	for _, d := range compared(t, a, b, compare.Options{}).Differences {
		got = append(got, d.What+": "+d.A+" | "+d.B)
	}
	want := []string{"trainer.epochs: 20 | 40", "mapsweep: 0.1.0 0123456789ab | 0.1.0 feedbeef", "processor: Example CPU | Other CPU", "instruction set: avx512 | avx2"}
	if !slices.Equal(got, want) {
		t.Errorf("differences\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := compared(t, a, a, compare.Options{}).Notes; !slices.Contains(n, "Nothing that is recorded differs between the studies.") {
		t.Errorf("a study and itself: %q", n)
	}
}

// Studies whose replicates stopped by results are compared by the intervals that hold all the same.
func TestSettled(t *testing.T) {
	a, _ := two(t)
	b := snapshot(t, first(fixture.Settled()), second(fixture.Settled()))
	for _, r := range compared(t, a, b, compare.Options{}).Blocks[0].Rows {
		d := r.Difference
		if !math.IsNaN(d.P) || !math.IsNaN(d.PHolm) {
			t.Errorf("%s has a p value", r.Label)
		}
		if d.Verdict == inference.NotTested {
			continue
		}
		if low := r.EffectB.WideLow - r.EffectA.WideHigh; d.Low != low || d.Low > d.Mean || d.High < d.Mean {
			t.Errorf("%s: [%g, %g] about %g", r.Label, d.Low, d.High, d.Mean)
		}
	}
}

// Of searches the best configurations are set side by side, without a test.
func TestSearches(t *testing.T) {
	a, b := snapshot(t, first(fixture.Search(40)), second(fixture.Search(40))), snapshot(t, first(fixture.Search(8)), second(fixture.Search(8)))
	c := compared(t, a, b, compare.Options{})
	if len(c.Blocks) > 0 || c.Best == nil || c.Best.A.Mean < c.Best.B.Mean {
		t.Fatalf("%+v", c.Best)
	}
	text := strings.Join(append(c.Answer(), c.Notes...), "\n")
	for _, w := range []string{"The best configuration has mAP50-95 64.6 in A and", "lr0 (", "both are optimistic", "search.trials"} {
		if !strings.Contains(text, w) {
			t.Errorf("no %q in\n%s", w, text)
		}
	}
	if _, err := compare.New(a, b, compare.Options{Arm: "x"}); err == nil {
		t.Error("a variant of a search")
	}
}

// Another metric takes the objectives' place, losses with their own direction.
func TestOtherMetric(t *testing.T) {
	a, b := two(t)
	c := compared(t, a, b, compare.Options{Metric: "mAP50"})
	if c.Metric.Key != "mAP50" || math.Abs(c.Blocks[0].Reference.A.Mean-1.38*a.Blocks[0].Arms[0].Mean) > 1e-9 {
		t.Errorf("%s: %g", c.Metric.Key, c.Blocks[0].Reference.A.Mean)
	}
	if c := compared(t, a, b, compare.Options{Metric: "loss/box"}); c.Metric.Direction != trials.Minimize {
		t.Errorf("direction of a loss: %s", c.Metric.Direction)
	}
}

// Whatever is missing, there are sentences and no number that is none.
func TestDegenerate(t *testing.T) {
	a, _ := two(t)
	for name, mk := range fixture.Degenerate() {
		b := snapshot(t, first(mk()), second(mk()))
		for _, pair := range [][2]*reports.Snapshot{{a, b}, {b, a}, {b, b}} {
			c, err := compare.New(pair[0], pair[1], compare.Options{})
			if err != nil {
				if len(err.Error()) < 20 {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			var text bytes.Buffer
			if err := tables.Terminal(&text, c.Tables(), tables.Options{}); err != nil {
				t.Fatal(err)
			}
			doc, err := json.Marshal(c.Document())
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			all := text.String() + strings.Join(c.Answer(), "\n") + string(doc)
			if strings.Contains(all, "NaN") || strings.Contains(all, "Inf") || len(c.Answer()) == 0 {
				t.Errorf("%s:\n%s", name, all)
			}
		}
	}
}

// The tables, the CSV and the document have the same rows.
func TestFormats(t *testing.T) {
	a, b := two(t)
	c := compared(t, a, b, compare.Options{})
	var out bytes.Buffer
	if err := c.CSV(&out); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	effects, doc := c.Tables()[1], c.Document().Blocks[0]
	if len(rows) != 2+len(effects.Rows) || len(doc.Arms) != len(effects.Rows) || rows[1][4] != "true" {
		t.Fatalf("%d lines, %d rows, %d arms", len(rows), len(effects.Rows), len(doc.Arms))
	}
	for i, r := range effects.Rows {
		if rows[i+2][2] != doc.Arms[i].Arm || r[0].Text != doc.Arms[i].Label || r[8].Text != doc.Arms[i].Verdicts {
			t.Errorf("row %d: %v, %s, %s", i, rows[i+2], r[0].Text, doc.Arms[i].Label)
		}
		if r[2].Text == "" || r[4].Text == "" || r[6].Text == "" {
			t.Errorf("%s has an effect without its interval", r[0].Text)
		}
	}
}
