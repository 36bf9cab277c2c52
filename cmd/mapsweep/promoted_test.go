package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer/yolov9/standin"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// promotion is a search that lets pruned trials go on, as a trainer runs it.
type promotion struct {
	trainer, metric string
	env             []string
	exact           bool // it stops at once when it is pruned, so that killed searches come to the same trials
}

// TestPromoted runs whole searches under ASHA and Hyperband with real trainers: the embedded digits with the native one, and the official
// YOLOv9, played. What goes on from a checkpoint is bit by bit what trains through, no epoch is there twice, and killing a
// promoted trial in its middle changes nothing.
func TestPromoted(t *testing.T) {
	slow, err := json.Marshal([]standin.Rule{{Do: standin.DoSlow, MS: 40}})
	if err != nil {
		t.Fatal(err)
	}
	native := promotion{trainer: "{backend: native, model: gelan-n, data: builtin:digits-few, image_size: 32, epochs: 8, batch: 16}", metric: "mAP50", exact: true}
	official := promotion{trainer: "{backend: yolov9, checkout: yolov9, python: sim-python, model: yolov9-t, data: data.yaml, image_size: 64, epochs: 8, batch: 4, device: cpu}",
		metric: "mAP50-95", env: []string{standin.Variable + "=" + string(slow)}}
	straight := map[string][]trials.Trial{} // by trainer: its points, trained through
	for name, c := range map[string]struct {
		promotion
		pruner string
		kills  int
	}{"native asha": {native, "asha, pruner_options: {min_epochs: 1, reduction_factor: 2}", 2},
		"native hyperband": {native, "hyperband, pruner_options: {min_epochs: 1, reduction_factor: 2, brackets: 2}", 0},
		"yolov9 asha":      {official, "asha, pruner_options: {min_epochs: 1, reduction_factor: 2}", 1}} {
		t.Run(name, func(t *testing.T) {
			dir := promotionDir(t, c.promotion, c.pruner)
			finish := func(out string, args ...string) []trials.Trial {
				t.Helper()
				cmd, text := startStudy(t, dir, out, c.env, args...)
				if err := cmd.Wait(); err != nil {
					t.Fatalf("%s: %v\n%s", out, err, text)
				}
				return trialsAt(t, filepath.Join(dir, out+".db"))
			}
			through, ok := straight[c.trainer]
			if !ok {
				through = finish("through", "--set", "search.pruner=none", "--set", "search.pruner_options={}")
				straight[c.trainer] = through
			}
			out := "calm"
			calm := finish(out)
			promoted := chained(t, calm, through)
			for again := 1; promoted < 2 && !c.exact && again < 4; again++ { // trials that end before they are stopped need no promotion
				out = fmt.Sprint("calm", again)
				calm = finish(out)
				promoted = chained(t, calm, through)
			}
			if promoted < 2 {
				t.Fatalf("%d trials were promoted: nothing was tested", promoted)
			}
			reported(t, filepath.Join(dir, out+".db"), len(through))
			if c.kills == 0 {
				return
			}
			out = "killed"
			for kill, missed := 0, 0; kill < c.kills; kill++ {
				cmd, text := startStudy(t, dir, out, c.env)
				if !killPromoted(t, cmd, filepath.Join(dir, out+".db"), kill) { // a machine with much to do looks too late
					if missed++; missed > 4 {
						t.Fatalf("five searches ended before a promoted trial was killed\n%s", text)
					}
					out, kill = fmt.Sprint("killed", missed), -1
					continue
				}
				nothingLeft(t, filepath.Join(dir, out))
			}
			killed := finish(out)
			chained(t, killed, through)
			reported(t, filepath.Join(dir, out+".db"), len(through))
			lost := 0
			for _, k := range killed {
				lost += len(k.Attempts) - 1
			}
			if lost < c.kills {
				t.Errorf("%d attempts were lost, of %d that were killed", lost, c.kills)
			}
			if c.exact {
				same(t, killed, calm)
			}
		})
	}
}

// same requires that two searches came to the same trials.
func same(t *testing.T, got, want []trials.Trial) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d trials, want %d", len(got), len(want))
	}
	for i, g := range got {
		if w := want[i]; g.State != w.State || g.Key != w.Key || !reflect.DeepEqual(curve(g), curve(w)) || !reflect.DeepEqual(g.Values, w.Values) || g.Text(trials.AttrNote) != w.Text(trials.AttrNote) {
			t.Errorf("trial %d: %v %s %v, note %q; want %v %s %v, note %q", g.Number, g.State, g.Key, g.Values, g.Text(trials.AttrNote), w.State, w.Key, w.Values, w.Text(trials.AttrNote))
		}
	}
}

// promotionDir is a folder with the study, its programs and its pictures.
func promotionDir(t *testing.T, p promotion, pruner string) string {
	t.Helper()
	dir := t.TempDir()
	programs(t, dir, "mapsweep", "sim-python")
	if err := standin.Checkout(filepath.Join(dir, "yolov9")); err != nil {
		t.Fatal(err)
	}
	samples(t, dir, "train", 8)
	samples(t, dir, "val", 2)
	writeFiles(t, dir, map[string]string{
		"data.yaml": pictureSet(dir),
		"s.yaml": `name: s
objective: {metric: ` + p.metric + `}
trainer: ` + p.trainer + `
factors:
  lr0: {low: 0.0005, high: 0.05, log: true}
design: search
search: {sampler: random, trials: 8, pruner: ` + pruner + `}
seed: 1
budget: {parallel: 1}
keep: {best: 1, last: 1}
`,
	})
	return dir
}

// trialsAt are the trials of the study.
func trialsAt(t *testing.T, path string) []trials.Trial {
	t.Helper()
	store, err := sqlite.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	st, err := store.Study(t.Context(), "s")
	if err != nil {
		t.Fatal(err)
	}
	ts, err := store.Trials(t.Context(), st.ID)
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

// curve is what a trial measured, without times and the use of the machine.
func curve(tr trials.Trial) (epochs []map[string]float64) {
	for _, m := range tr.Measurements {
		at := maps.Clone(m.Metrics)
		maps.DeleteFunc(at, func(name string, _ float64) bool {
			kind, _, _ := strings.Cut(name, "/")
			return slices.Contains([]string{"time", "cpu", "gpu", "host"}, kind)
		})
		at["epoch"] = float64(m.Epoch)
		epochs = append(epochs, at)
	}
	return epochs
}

// killPromoted waits until a trial that continues another one has begun (the first time), or is between two rungs (later), and kills the
// process then. False: it ended before.
func killPromoted(t *testing.T, cmd *exec.Cmd, path string, kill int) bool {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	before, _ := promotedRuns(path, 0) // as the last kill left it
	for {
		select {
		case <-ended:
			return false
		case <-time.After(2 * time.Millisecond):
		}
		if attempt, ok := promotedRuns(path, kill); !ok || attempt == before {
			continue
		}
		_ = cmd.Process.Kill() // an error: it has ended
		<-ended
		_, runs := promotedRuns(path, 0)
		return cmd.ProcessState.ExitCode() < 0 && runs
	}
}

// promotedRuns finds an attempt at a promoted trial that is running; with between > 0 only one that has measured an epoch and is not
// at a rung.
func promotedRuns(path string, between int) (attempt string, ok bool) {
	store, err := sqlite.OpenReadOnly(context.Background(), path)
	if err != nil {
		return "", false // it is not there yet
	}
	defer store.Close()
	st, err := store.Study(context.Background(), "s")
	if err != nil {
		return "", false
	}
	ts, err := store.Trials(context.Background(), st.ID)
	if err != nil {
		return "", false
	}
	for _, tr := range ts {
		if _, promoted := tr.Continues(); !promoted || tr.State != trials.Running {
			continue
		}
		n := len(tr.Measurements)
		if between == 0 || n > 0 && !slices.Contains([]int{1, 2, 4, 8}, tr.Measurements[n-1].Epoch) {
			return fmt.Sprint(tr.Number, " ", len(tr.Attempts)), true
		}
	}
	return "", false
}

// chained checks the trials of a search against those that trained through: a trial that continues another one begins with the
// epoch after that one's last, and each point has each epoch once, with the measurements of the point that trained through.
// It returns how many trials continue another one.
func chained(t *testing.T, ts, through []trials.Trial) (promoted int) {
	t.Helper()
	want := map[string]trials.Trial{}
	for _, w := range through {
		want[w.Key] = w
		if len(w.Measurements) != 8 || w.State != trials.Complete {
			t.Fatalf("%s, which trains through, is %v after %d epochs", w.Key, w.State, len(w.Measurements))
		}
	}
	stands, measured := map[string]int{}, 0
	joined := trials.Joined(ts)
	for i, tr := range ts {
		measured += len(tr.Measurements)
		if n, ok := tr.Continues(); ok {
			promoted++
			if from := ts[n].Measurements; tr.Measurements[0].Epoch != from[len(from)-1].Epoch+1 {
				t.Errorf("trial %d begins with epoch %d, trial %d ended with %d", tr.Number, tr.Measurements[0].Epoch, n, from[len(from)-1].Epoch)
			}
		}
		if !tr.Counts() {
			continue
		}
		point, _, _ := strings.Cut(tr.Key, "^")
		stands[point] += len(joined[i].Measurements)
		w, ok := want[point]
		if got := curve(joined[i]); !ok || len(got) == 0 || !reflect.DeepEqual(got, curve(w)[:len(got)]) {
			t.Errorf("trial %d (%s) measured\n%v\ntrained through\n%v", tr.Number, tr.Key, got, curve(w))
		}
		if tr.State == trials.Complete && (len(joined[i].Measurements) != 8 || !reflect.DeepEqual(tr.Values, w.Values)) {
			t.Errorf("trial %d is complete with %d epochs and %v, trained through %v", tr.Number, len(joined[i].Measurements), tr.Values, w.Values)
		}
	}
	distinct := 0
	for _, n := range stands {
		distinct += n
	}
	if len(stands) != len(through) || distinct != measured {
		t.Errorf("%d points of %d, with %d epochs, of which %d are measured", len(stands), len(through), distinct, measured)
	}
	return promoted
}

// reported checks that the budget and the report count each epoch once and each point once.
func reported(t *testing.T, path string, points int) {
	t.Helper()
	store, err := sqlite.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	s, err := reports.Load(t.Context(), store, "s")
	if err != nil {
		t.Fatal(err)
	}
	epochs := 0
	for _, tr := range s.Trials {
		for i, m := range tr.Measurements {
			if m.Epoch != i+1 {
				t.Errorf("the report's curve of trial %d has epoch %d at %d", tr.Number, m.Epoch, i+1)
			}
		}
		if tr.Counts() {
			epochs += len(tr.Measurements)
		}
	}
	ts := trialsAt(t, path)
	if sum := sweep.Count(s.Spec, ts, trials.Now()); sum.Epochs != epochs || sum.Planned != points || sum.Finished() != points || sum.Continued != len(ts)-points {
		t.Errorf("%d epochs in the report, the budget counts %+v", epochs, sum)
	}
	if n := len(s.Search.Candidates); n == 0 || n > points {
		t.Errorf("%d points in the report", n)
	}
}
