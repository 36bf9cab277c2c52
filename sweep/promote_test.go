package sweep_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/prune"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// rungs is a search of points with 8 epochs each under ASHA with rungs after 1, 2 and 4 epochs, of which the better half goes on.
func rungs(points int) studies.Spec {
	s := search(points, "scripted", "asha")
	s.Name, s.Trainer.Epochs = "rungs", 8
	s.Search.PrunerOptions = trials.Params{"min_epochs": int64(1), "reduction_factor": int64(2)}
	s.Keep = studies.Keep{Best: 1}
	return s
}

// asha gives a bench the pruners, and a sampler whose points get worse, so that early ones turn out to be better than thought.
func (w *bench) asha() {
	w.sampler(func(h sweep.History, rng *rand.Rand) (trials.Suggestion, error) {
		return trials.Suggestion{Space: h.Space[:1], Params: trials.Params{"x": 0.5 + min(0.5, (float64(len(h.All()))+10*rng.Float64())/64)}}, nil
	})
	w.Pruners = map[string]sweep.NewPruner{"asha": prune.ASHA, "hyperband": prune.Hyperband}
}

// chains checks what holds for every search that lets trials go on, and returns how many trials continue another one. epochs
// lists for each point the epochs that were trained, in the order of its trials.
func chains(t *testing.T, ts []trials.Trial, points, full int) (promoted int, epochs map[string][]int) {
	t.Helper()
	epochs = map[string][]int{}
	counted := map[string]int{}
	for _, tr := range ts {
		point, _, _ := strings.Cut(tr.Key, "^")
		for _, m := range tr.Measurements {
			epochs[point] = append(epochs[point], m.Epoch)
		}
		if tr.Counts() {
			counted[point]++
		}
		by, continued := tr.Integer(trials.AttrContinued)
		if continued && (int(by) >= len(ts) || tr.State != trials.Pruned) {
			t.Fatalf("trial %d, %s, goes on as %d", tr.Number, tr.State, by)
		}
		if n, ok := tr.Continues(); ok {
			promoted++
			old := ts[n]
			if back, _ := old.Integer(trials.AttrContinued); int(back) != tr.Number || old.Params.Key() != tr.Params.Key() || old.Seed() != tr.Seed() {
				t.Errorf("trial %d continues %d, which goes on as %d; %s and %s", tr.Number, n, back, tr.Params.Key(), old.Params.Key())
			}
			if len(tr.Attrs[trials.AttrSaw]) > 0 {
				t.Errorf("trial %d was promoted and says what a sampler saw", tr.Number)
			}
		}
	}
	if len(counted) != points {
		t.Errorf("%d points, want %d", len(counted), points)
	}
	for point, n := range counted {
		if n != 1 {
			t.Errorf("%s counts %d times", point, n)
		}
	}
	for _, tr := range trials.Joined(ts) {
		for i, m := range tr.Measurements {
			if m.Epoch != i+1 {
				t.Errorf("the curve of trial %d has epoch %d at %d", tr.Number, m.Epoch, i+1)
			}
		}
		if tr.State == trials.Complete && len(tr.Measurements) != full {
			t.Errorf("trial %d is complete after %d epochs", tr.Number, len(tr.Measurements))
		}
	}
	return promoted, epochs
}

// once says whether every epoch was trained once.
func once(t *testing.T, epochs map[string][]int) {
	t.Helper()
	for point, list := range epochs {
		for i, e := range list {
			if e != i+1 {
				t.Errorf("%s trained epochs %v", point, list)
				break
			}
		}
	}
}

func TestPromotion(t *testing.T) {
	for _, parallel := range []int{1, 4} {
		for _, pruner := range []string{"asha", "hyperband"} {
			t.Run(fmt.Sprint(pruner, " ", parallel), func(t *testing.T) {
				fake := trainertest.NewResumable()
				w := newBench(t, fake)
				w.asha()
				spec := rungs(24)
				spec.Budget.Parallel, spec.Search.Pruner = parallel, pruner
				sum := w.run(t, spec, nil)
				ts := w.trials(t, "rungs")
				promoted, epochs := chains(t, ts, 24, 8)
				once(t, epochs)
				if promoted == 0 || sum.Planned != 24 || sum.Complete+sum.Pruned != 24 || sum.Complete == 0 || sum.Continued != promoted || len(ts) != 24+promoted {
					t.Errorf("%d promoted of %d trials: %+v", promoted, len(ts), sum)
				}
				sameCurves(t, ts)
				for _, j := range fake.Jobs() {
					n, ok := ts[j.Number].Continues()
					if ok != (j.Resume != "") || ok && filepath.Base(filepath.Dir(j.Resume)) != fmt.Sprintf("trial-%04d", n) {
						t.Errorf("trial %d, which continues %d (%v), resumed from %q", j.Number, n, ok, j.Resume)
					}
				}
				for _, tr := range ts {
					if _, ok := tr.Integer(trials.AttrBracket); ok != (pruner == "hyperband") {
						t.Errorf("trial %d: bracket %s", tr.Number, tr.Attrs[trials.AttrBracket])
					}
				}
				left, _ := filepath.Glob(filepath.Join(w.Dir, "*", "last.ckpt"))
				if len(left) != 1 {
					t.Errorf("the search is over, and %d checkpoints are left: %v", len(left), left)
				}
				if again := w.run(t, spec, nil); again.Finished() != 24 || len(w.trials(t, "rungs")) != len(ts) {
					t.Errorf("run again: %+v", again)
				}
			})
		}
	}
}

// sameCurves compares the curves of the points with those of runs in one go.
func sameCurves(t *testing.T, ts []trials.Trial) {
	t.Helper()
	for _, tr := range trials.Joined(ts) {
		job := trainer.Job{Params: tr.Params, Seed: tr.Seed(), Data: tr.Text(trials.AttrData)}
		for _, m := range tr.Measurements {
			if want := trainertest.Curve(job, m.Epoch)["mAP50-95"]; m.Metrics["mAP50-95"] != want {
				t.Errorf("trial %d, epoch %d: %v, want %v", tr.Number, m.Epoch, m.Metrics["mAP50-95"], want)
			}
		}
	}
}

// TestPromotionReproduces: one trial at a time, stopped half-way and gone on with, comes to the same trials as in one go.
func TestPromotionReproduces(t *testing.T) {
	whole := newBench(t, trainertest.NewResumable())
	whole.asha()
	whole.run(t, rungs(16), nil)
	halves := newBench(t, trainertest.NewResumable())
	halves.asha()
	for _, n := range []int{3, 11, 6} {
		stop := make(chan struct{})
		halves.Stop = stop
		halves.AfterTrial = func(context.Context, trials.Study, trials.Trial) {
			if n--; n == 0 {
				close(stop)
			}
		}
		_, _ = halves.Run(t.Context(), rungs(16), nil)
	}
	halves.Stop, halves.AfterTrial = nil, nil
	halves.run(t, rungs(16), nil)
	if a, b := results(whole.trials(t, "rungs")), results(halves.trials(t, "rungs")); a != b {
		t.Errorf("stopped and resumed:\n%s\nin one go:\n%s", b, a)
	}
}

// TestPromotionWithReplicates: data sets and replicates are points of their own, and so are keys.
func TestPromotionWithReplicates(t *testing.T) {
	w := newBench(t, trainertest.NewResumable())
	w.asha()
	spec := rungs(10)
	spec.Replicates, spec.Trainer.Data, spec.Budget.Parallel = 2, []string{"digits", "trees"}, 3
	sum := w.run(t, spec, nil)
	promoted, epochs := chains(t, w.trials(t, "rungs"), 40, 8)
	once(t, epochs)
	if promoted == 0 || sum.Planned != 40 || sum.Finished() != 40 {
		t.Errorf("%d promoted: %+v", promoted, sum)
	}
	spec.Search.Trials = 12
	if sum := w.run(t, spec, nil); sum.Planned != 48 || sum.Finished() != 48 {
		t.Errorf("extended by two points: %+v", sum)
	}
	chains(t, w.trials(t, "rungs"), 48, 8)
}

// TestPromotionWithoutCheckpoint: a trainer that has lost the checkpoint starts the point from epoch 1, and the trial says so.
func TestPromotionWithoutCheckpoint(t *testing.T) {
	w := newBench(t, trainertest.NewResumable())
	w.asha()
	var log bytes.Buffer
	w.Log = slog.New(slog.NewTextHandler(&log, nil))
	w.AfterTrial = func(_ context.Context, _ trials.Study, tr trials.Trial) {
		_ = os.Remove(filepath.Join(w.Dir, fmt.Sprintf("trial-%04d", tr.Number), "last.ckpt"))
	}
	w.run(t, rungs(12), nil)
	ts := w.trials(t, "rungs")
	promoted, _ := chains(t, ts, 12, 8)
	for _, tr := range ts {
		n, ok := tr.Continues()
		want := fmt.Sprintf("trial %d left no checkpoint that it could go on from: it started from epoch 1", n)
		if ok != strings.Contains(tr.Text(trials.AttrNote), want) || ok && tr.Measurements[0].Epoch != 1 {
			t.Errorf("trial %d continues %d: note %q, %d epochs", tr.Number, n, tr.Text(trials.AttrNote), len(tr.Measurements))
		}
	}
	if promoted == 0 || !strings.Contains(log.String(), "left no checkpoint") {
		t.Errorf("%d promoted, log %s", promoted, &log)
	}
}

// TestPromotedTrialFails: it is repeated by the next run, from the same checkpoint, which was kept.
func TestPromotedTrialFails(t *testing.T) {
	fake := trainertest.NewResumable()
	w := newBench(t, fake)
	w.asha()
	broken := map[int]bool{}
	fake.Before = func(_ context.Context, job trainer.Job, _ int) error {
		if job.Resume != "" && len(broken) < 2 {
			broken[job.Number] = true
			return errors.New("a cable came loose")
		}
		return nil
	}
	sum := w.run(t, rungs(12), nil)
	if sum.Failed != 2 || sum.Planned != 12 || sum.Finished() != 12 {
		t.Fatalf("%+v", sum)
	}
	sum = w.run(t, rungs(12), nil)
	if sum.Failed != 0 || sum.Repeated != 2 || sum.Planned != 12 || sum.Finished() != 12 {
		t.Fatalf("run again: %+v", sum)
	}
	ts := w.trials(t, "rungs")
	again := 0
	for _, tr := range ts {
		if of, ok := tr.Integer(trials.AttrRetryOf); ok {
			again++
			first := ts[of]
			a, _ := first.Continues()
			b, _ := tr.Continues()
			if !broken[int(of)] || a != b || !strings.HasSuffix(tr.Key, "^2#2") && !strings.HasSuffix(tr.Key, "^3#2") {
				t.Errorf("trial %d, %s, repeats %d; they continue %d and %d", tr.Number, tr.Key, of, b, a)
			}
		}
	}
	if again != 2 {
		t.Errorf("%d trials were repeated", again)
	}
}

// TestTrainerCannotResume: a pruner that lets trials go on is refused where the trainer cannot.
func TestTrainerCannotResume(t *testing.T) {
	w := newBench(t, &trainertest.Fake{})
	w.asha()
	_, err := w.Run(t.Context(), rungs(3), nil)
	if !errors.Is(err, sweep.ErrInvalid) || !strings.Contains(err.Error(), "trainer fake cannot go on from one; successive-halving stops") {
		t.Errorf("Run: %v", err)
	}
}

// lossy is a store that fails, or dies, when a trial is to be marked as continued.
type lossy struct {
	trials.Store
	left int
}

func (s *lossy) SetAttrs(ctx context.Context, id int64, attrs map[string]json.RawMessage) error {
	if len(attrs[trials.AttrContinued]) > 0 {
		if s.left--; s.left == 0 {
			return errors.New("power failure")
		}
	}
	return s.Store.SetAttrs(ctx, id, attrs)
}

// TestHalfMadePromotion: killed between the two steps of a promotion, the next run mends it and promotes nothing twice.
func TestHalfMadePromotion(t *testing.T) {
	whole := newBench(t, trainertest.NewResumable())
	whole.asha()
	whole.run(t, rungs(12), nil)
	for n := 1; n <= 2; n++ {
		w := newBench(t, trainertest.NewResumable())
		w.asha()
		w.Store = &lossy{w.store, n}
		if _, err := w.Run(t.Context(), rungs(12), nil); err == nil || !strings.Contains(err.Error(), "power failure") {
			t.Fatalf("Run: %v", err)
		}
		w.Store = w.store
		w.run(t, rungs(12), nil)
		_, epochs := chains(t, w.trials(t, "rungs"), 12, 8)
		once(t, epochs)
		if a, b := results(whole.trials(t, "rungs")), results(w.trials(t, "rungs")); a != b {
			t.Errorf("failed at promotion %d and gone on:\n%s\nundisturbed:\n%s", n, b, a)
		}
	}
}

// badPromoter promotes what it must not.
type badPromoter struct {
	prunes
	number int
}

func (p badPromoter) Promote(sweep.History) (int, bool, error) {
	if p.number < 0 {
		panic("oops")
	}
	return p.number, true, nil
}

func TestBadPromoter(t *testing.T) {
	for says, n := range map[string]int{"promotes trial 99, which is not": 99, "pruner panicked: oops": -1} {
		w := newBench(t, trainertest.NewResumable())
		w.alternate(prunes{})
		w.Pruners = map[string]sweep.NewPruner{"scripted": func(sweep.PrunerConfig) (sweep.Pruner, error) { return badPromoter{prunes{epoch: 9}, n}, nil }}
		if _, err := w.Run(t.Context(), search(3, "scripted", "scripted"), nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("Run: %v, want %q", err, says)
		}
	}
}

// TestPromotionKilled: killed with SIGKILL at several points, and then by two processes at once, of which one is killed, a search
// that lets trials go on loses no point and promotes none twice.
func TestPromotionKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("judging dead processes at once needs /proc")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "study"), []byte("rungs"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, at := range []struct {
		prefix string
		n      int
	}{{"finished", 3}, {"measured", 7}, {"started", 4}, {"finished", 4}, {"measured", 5}} {
		if out := killAt(t, dir, at.prefix, at.n); strings.Contains(out, "error") {
			t.Fatalf("to be killed at %s %d, but:\n%s", at.prefix, at.n, out)
		}
	}
	done := make(chan string)
	go func() { done <- killAt(t, dir, "measured", 6) }()
	survivor := killAt(t, dir, "never", 1)
	killed := <-done
	last := killAt(t, dir, "never", 1)
	if !strings.Contains(last, "done ") || strings.Contains(last+survivor+killed, "error") {
		t.Fatalf("the last run:\n%s\nsurvivor:\n%s\nkilled:\n%s", last, survivor, killed)
	}
	ts := storedTrialsOf(t, dir, "rungs")
	promoted, _ := chains(t, ts, 12, 8)
	if sum := sweep.Count(rungs(12), ts, trials.Now()); promoted == 0 || sum.Planned != 12 || sum.Finished() != 12 || sum.Failed != 0 {
		t.Errorf("%d promoted: %+v", promoted, sum)
	}
	sameCurves(t, ts)
	lost := 0
	for _, tr := range ts {
		for _, a := range tr.Attempts {
			if a.Outcome == "lost" {
				lost++
			}
		}
		if tr.Text(trials.AttrNote) != "" {
			t.Errorf("trial %d: %s", tr.Number, tr.Text(trials.AttrNote))
		}
	}
	if lost == 0 {
		t.Error("no trial was ever lost: the kills came too late to test anything")
	}
}

// TestSamplersSeeChainsOnce: a chain is one observation for a sampler, whether it reads all trials or follows the log.
func TestSamplersSeeChainsOnce(t *testing.T) {
	w := newBench(t, trainertest.NewResumable())
	w.asha()
	asked, again := 0, 0
	w.sampler(func(h sweep.History, rng *rand.Rand) (trials.Suggestion, error) {
		points := map[string]int{}
		for _, tr := range h.All() {
			point, _, _ := strings.Cut(tr.Key, "^")
			points[point]++
		}
		last := map[int]*trials.Trial{}
		for _, tr := range h.Finished {
			if last[tr.Number] != nil {
				again++ // continued since
			}
			last[tr.Number] = tr
		}
		counted := len(h.Open)
		for _, tr := range last {
			if tr.Counts() {
				counted++
			}
		}
		if len(points) != asked || len(h.All()) != asked || counted != asked {
			t.Errorf("suggestion %d sees %d points in %d trials, %d in the log", asked, len(points), len(h.All()), counted)
		}
		asked++
		return trials.Suggestion{Space: h.Space[:1], Params: trials.Params{"x": 0.5 + min(0.5, (float64(asked)+10*rng.Float64())/64)}}, nil
	})
	spec := rungs(24)
	spec.Budget.Parallel = 1
	w.run(t, spec, nil)
	if asked != 24 || again == 0 {
		t.Errorf("%d suggestions, of which none saw a trial that goes on", asked)
	}
}
