package reports_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// tenThousand is a search with eight parameters, one of which depends on another; a third of the trials were pruned.
func tenThousand() (trials.Study, []trials.Trial) {
	low, high, one, half := 0.001, 0.1, 1.0, 0.5
	few, many := 0.0, 10.0
	spec := studies.Spec{Name: "large", Objective: studies.Objective{Metric: "mAP50-95", Direction: trials.Maximize, Epoch: "last", Split: "val"},
		Trainer:  studies.Trainer{Backend: "native", Model: "gelan-n", Data: []string{"builtin:digits"}, Epochs: 20},
		Baseline: trials.Params{"lr0": 0.01, "momentum": 0.5, "mosaic": 1.0, "mixup": 0.1, "copy_paste": 0.1, "autoaugment": "none", "warmup_epochs": int64(3), "box": 0.5},
		Factors: []studies.Factor{{Name: "lr0", Low: &low, High: &high, Log: true}, {Name: "momentum", Low: &few, High: &one}, {Name: "mosaic", Levels: []any{1.0, 0.0}},
			{Name: "mixup", Low: &few, High: &half, Requires: trials.Params{"mosaic": 1.0}}, {Name: "copy_paste", Low: &few, High: &half},
			{Name: "autoaugment", Levels: []any{"none", "randaugment", "trivial"}}, {Name: "warmup_epochs", Low: &few, High: &many, Int: true}, {Name: "box", Low: &few, High: &one}},
		Design: studies.DesignSearch, Search: &studies.Search{Sampler: "tpe", Trials: 10000, Pruner: "median"}, Replicates: 1}
	rng := rand.New(rand.NewPCG(9, 9))
	var ts []trials.Trial
	for i := range 10000 {
		p := trials.Params{"lr0": 0.001 * math.Pow(100, rng.Float64()), "momentum": rng.Float64(), "mosaic": float64(rng.IntN(2)), "mixup": 0.1, "copy_paste": half * rng.Float64(),
			"autoaugment": []any{"none", "randaugment", "trivial"}[rng.IntN(3)], "warmup_epochs": rng.Int64N(11), "box": rng.Float64()}
		space := spec.Space()
		if p["mosaic"] == 1.0 {
			p["mixup"] = half * rng.Float64()
		} else {
			space = append(space[:3:3], space[4:]...)
		}
		d := math.Log(p["lr0"].(float64) / 0.02)
		score := 0.6 - 0.03*d*d + 0.05*p["mosaic"].(float64)*p["mixup"].(float64) - 0.1*math.Pow(p["momentum"].(float64)-0.8, 2) + 0.005*rng.NormFloat64()
		t := fixture.Trial(i, p, 1, score, rng)
		t.Space = space
		t.Attrs[trials.AttrData] = trials.Attr("builtin:digits")
		if i%3 == 2 {
			t.State = trials.Pruned
		}
		ts = append(ts, t)
	}
	return fixture.Study(spec), ts
}

// BenchmarkAnalyses10000 is a snapshot of a search of 10,000 trials and all that can be said about it: importance of
// singles and pairs, marginals, PED-ANOVA and the path. The limit is 2 seconds on two cores.
func BenchmarkAnalyses10000(b *testing.B) {
	st, ts := tenThousand()
	for b.Loop() {
		s, err := reports.New(st, ts)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Importance(); err != nil {
			b.Fatal(err)
		}
		if _, err := s.PED(); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Path(&s.Blocks[0]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAnalysesPeer runs Optuna's fANOVA evaluator, with its defaults, on the same trials in the same run, and
// reports how many times as long it takes. It is given 1,000 trials: on all of them it takes more than ten minutes. MAPSWEEP_PEER_PYTHON names an interpreter that has optuna and scikit-learn.
func BenchmarkAnalysesPeer(b *testing.B) {
	python := os.Getenv("MAPSWEEP_PEER_PYTHON")
	if python == "" {
		b.Skip("MAPSWEEP_PEER_PYTHON is not set: no interpreter with optuna to compare with")
	}
	st, ts := tenThousand()
	ts = ts[:1000]
	type point struct {
		Params trials.Params `json:"params"`
		Score  float64       `json:"score"`
	}
	var points []point
	for _, t := range ts {
		if t.State == trials.Complete {
			points = append(points, point{t.Params, t.Values[0]})
		}
	}
	text, err := json.Marshal(points)
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "points.json")
	if err := os.WriteFile(file, text, 0o666); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		start := time.Now()
		s, err := reports.New(st, ts)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Importance(); err != nil {
			b.Fatal(err)
		}
		ours := time.Since(start).Seconds()
		out, err := exec.Command(python, filepath.Join("testdata", "peer.py"), file).Output()
		if err != nil {
			b.Fatal(err)
		}
		var peer float64
		if err := json.Unmarshal(out, &peer); err != nil {
			b.Fatalf("%s: %v", out, err)
		}
		b.ReportMetric(ours, "s/ours")
		b.ReportMetric(peer, "s/peer")
		b.ReportMetric(peer/ours, "ratio")
	}
}
