package reports_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference/images"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trials"
)

// withMatches loads a snapshot whose trials keep their matches; change may spoil them.
func withMatches(t *testing.T, change func(*trials.Study, []trials.Trial, fixture.Kept)) *reports.Snapshot {
	t.Helper()
	st, ts, kept := fixture.WithMatches(fixture.Quickstart().Build())
	if change != nil {
		change(&st, ts, kept)
	}
	s, err := reports.New(st, ts)
	if err != nil {
		t.Fatal(err)
	}
	if err := reports.LoadMatches(t.Context(), kept, s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTwoLevel(t *testing.T) {
	s := withMatches(t, nil)
	b := &s.Blocks[0]
	p, err := s.TwoLevel(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Arms) != 5 || len(p.Effects) != 4 || p.Draws != images.DefaultDraws || p.Pictures != fixture.Pictures || len(p.Notes) != 0 {
		t.Fatalf("%+v", p)
	}
	for i, e := range p.Effects {
		// the seeds' half is the paired t interval of the ablation table
		want, _ := b.Effect(e.Arm)
		if e.Arm != b.Arms[i+1].Name || math.Abs(e.Mean-want.Mean) > 1e-9 || math.Abs(e.SeedLow-want.Low) > 1e-9 || math.Abs(e.SeedHigh-want.High) > 1e-9 {
			t.Errorf("%+v, want %v", e, want.Effect)
		}
		if alone, both := e.SeedHigh-e.SeedLow, e.High-e.Low; both < .95*alone || both > 3*alone { // less skewed, and for more degrees of freedom
			t.Errorf("%s: the interval over both is %v wide, over seeds alone %v", e.Arm, both, alone)
		}
	}
	if m := s.Matches(3); m == nil || s.Matches(99) != nil {
		t.Error("matches of trials 3 and 99")
	}
}

// What is missing is said.
func TestTwoLevelWithout(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*trials.Study, []trials.Trial, fixture.Kept)
		fails  string // an error
		says   string // a note, or the reason of an effect
	}{
		"nothing kept": {func(_ *trials.Study, _ []trials.Trial, k fixture.Kept) { clear(k.Data) }, "no complete trial has kept", ""},
		"not wanted": {func(st *trials.Study, _ []trials.Trial, k fixture.Kept) {
			st.Resolved = []byte(strings.Replace(string(st.Resolved), `{`, `{"no_matches": true, `, 1))
			clear(k.Data)
		}, "store_matches: false", ""},
		"another metric": {func(st *trials.Study, _ []trials.Trial, _ fixture.Kept) {
			st.Resolved = []byte(strings.Replace(string(st.Resolved), "mAP50-95", "precision", 1))
		}, "precision: no metric of matches", ""},
		"damaged":          {func(_ *trials.Study, ts []trials.Trial, k fixture.Kept) { k.Data[ts[0].ID] = []byte("msmatch1") }, "", "The matches of trial 0 cannot be read"},
		"other pictures":   {func(_ *trials.Study, ts []trials.Trial, k fixture.Kept) { k.Data[ts[0].ID] = other(t) }, "", "not scored on the same pictures"},
		"other definition": {func(_ *trials.Study, ts []trials.Trial, _ fixture.Kept) { ts[7].Values[0] += .01 }, "", "The trials' own mAP50-95 is computed otherwise and differs by up to 1.0 points."},
		"one seed": {func(_ *trials.Study, ts []trials.Trial, k fixture.Kept) {
			for _, x := range ts {
				if x.Arm() == "mosaic=0" && x.Replicate() > 0 {
					delete(k.Data, x.ID)
				}
			}
		}, "", "one seed with matches"},
	} {
		s := withMatches(t, c.change)
		p, err := s.TwoLevel(t.Context(), &s.Blocks[0])
		if c.fails != "" {
			if !errors.Is(err, reports.ErrNoPictures) || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: %v, want %q", name, err, c.fails)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		said := strings.Join(p.Notes, " ") + " " + p.Effects[0].Reason
		if !strings.Contains(said, c.says) {
			t.Errorf("%s: said %q, want %q", name, said, c.says)
		}
	}
	// a search has no arms, and a snapshot without LoadMatches no matches
	for _, mk := range []func() (trials.Study, []trials.Trial){search, fixture.Quickstart().Build} {
		s := snapshot(t, mk)
		if _, err := s.TwoLevel(t.Context(), &s.Blocks[0]); !errors.Is(err, reports.ErrNoPictures) {
			t.Errorf("%s: %v", s.Study.Name, err)
		}
	}
}

func other(t *testing.T) []byte {
	t.Helper()
	m := evaluate.Match([]evaluate.GroundTruth{evaluate.Truth(0, 0, evaluate.Box{W: 30, H: 30})}, nil, fixture.Pictures, []string{"bright", "dark", "striped"})
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestLoadMatchesFails(t *testing.T) {
	s := snapshot(t, fixture.Quickstart().Build)
	broken := errors.New("disk gone")
	if err := reports.LoadMatches(t.Context(), failing{err: broken}, s); !errors.Is(err, broken) || !strings.Contains(err.Error(), "trial 0") {
		t.Errorf("error %v", err)
	}
}

type failing struct {
	trials.Reader
	err error
}

func (f failing) Artifact(context.Context, int64, string) (trials.Artifact, error) {
	return trials.Artifact{}, f.err
}

func TestSubsetScore(t *testing.T) {
	m := withMatches(t, nil).Matches(0)
	want := m.Score(evaluate.Subset{Classes: []int{2}, Images: m.Dense(studies.DenseQuantile)}).AP75
	if v, err := reports.SubsetScore(m, "mAP75@dense+class:striped"); err != nil || math.Abs(v-want) > 1e-12 {
		t.Errorf("%v, %v, want %v", v, err, want)
	}
	for metric, want := range map[string]string{"mAP50@large": "have no large objects", "mAP50@class:spotted": "it has bright, dark, striped", "loss/box": "known are"} {
		if v, err := reports.SubsetScore(m, metric); err == nil || !strings.Contains(err.Error(), want) || !math.IsNaN(v) {
			t.Errorf("%s: %v, %v", metric, v, err)
		}
	}
}
