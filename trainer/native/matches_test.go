package native_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trials"
)

// kept returns the matches of a result, encoded and decoded.
func kept(t *testing.T, res trainer.Result) ([]byte, *evaluate.Matches) {
	t.Helper()
	if len(res.Artifacts) != 1 || res.Artifacts[0].Name != evaluate.MatchesName || res.Artifacts[0].MediaType != evaluate.MatchesType {
		t.Fatalf("artifacts %+v", res.Artifacts)
	}
	m, err := evaluate.DecodeMatches(res.Artifacts[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	return res.Artifacts[0].Data, m
}

// scored checks that matches give the scores that the run reported for an epoch.
func scored(t *testing.T, m *evaluate.Matches, want trials.Measurement) {
	t.Helper()
	s, by := m.Score(evaluate.Subset{}), m.ScoreClasses(evaluate.Subset{})
	for name, v := range map[string]float64{"mAP50-95": s.AP, "mAP50": s.AP50, "mAP75": s.AP75, "mAP-small": s.APSmall, "AR100": s.AR100, "AP/" + m.Classes[0]: by[0].AP} {
		if w, ok := want.Metrics[name]; !ok || math.Abs(v-w) > 1e-12 {
			t.Errorf("%s of the matches is %v, of epoch %d %v", name, v, want.Epoch, w)
		}
	}
}

func TestMatches(t *testing.T) {
	job := trainer.Job{Epochs: 4, Params: trials.Params{"mosaic": 0.0, "warmup_epochs": 1}}
	all, res := train(t, backend(t, nil), job)
	_, m := kept(t, res)
	scored(t, m, all[3])

	// A metric that falls is highest at the first epoch, whose matches are kept.
	b := backend(t, func(c *native.Config) { c.BestMetric = "loss/cls" })
	job.Dir = t.TempDir()
	all, res = train(t, b, job)
	best, m := kept(t, res)
	scored(t, m, all[0])

	// A run that is gone on with after its end finds them again, the best ones and the last.
	job.Resume, _ = b.Latest(job.Dir)
	_, res = train(t, b, job)
	if data, _ := kept(t, res); !bytes.Equal(data, best) {
		t.Error("matches of a run gone on with differ")
	}
	job.Dir = t.TempDir()
	last := backend(t, nil)
	job.Resume = ""
	all, _ = train(t, last, job)
	job.Resume, _ = last.Latest(job.Dir)
	_, res = train(t, last, job)
	_, m = kept(t, res)
	scored(t, m, all[3])
}

// A run that was broken off and gone on with has the matches of one that was not.
func TestMatchesOfResumedRun(t *testing.T) {
	b, job := resumable(t)
	_, res := train(t, b, job)
	want, _ := kept(t, res)
	b, job = resumable(t)
	if _, err := b.Train(&countdown{context.Background(), 19}, job, func(trials.Measurement) {}); !errors.Is(err, context.Canceled) {
		t.Fatalf("Train returned %v", err)
	}
	job.Resume, _ = b.Latest(job.Dir)
	_, res = train(t, b, job)
	if got, _ := kept(t, res); !bytes.Equal(got, want) {
		t.Error("matches differ from the uninterrupted run's")
	}
}

func TestNoMatches(t *testing.T) {
	job := trainer.Job{Epochs: 1}
	if _, res := train(t, backend(t, func(c *native.Config) { c.NoMatches = true }), job); len(res.Artifacts) != 0 {
		t.Errorf("artifacts %+v", res.Artifacts)
	}
	// a run that cannot find its best epoch again is whole, and its log says what it lacks
	b := backend(t, func(c *native.Config) { c.BestMetric = "loss/cls" })
	job = trainer.Job{Epochs: 2, Dir: t.TempDir()}
	train(t, b, job)
	job.Resume, _ = b.Latest(job.Dir)
	if err := os.WriteFile(filepath.Join(job.Dir, "best.ckpt"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, res := train(t, b, job)
	if log := string(read(t, filepath.Join(job.Dir, "trial.log"))); len(res.Artifacts) != 0 || !strings.Contains(log, "no matches: read checkpoint") {
		t.Errorf("artifacts %+v, log:\n%s", res.Artifacts, log)
	}
}
