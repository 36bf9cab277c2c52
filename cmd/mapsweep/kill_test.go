package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer/yolov9/standin"
	"github.com/mapsweep/mapsweep/trials"
)

// TestRandomKills kills mapsweep with SIGKILL at random moments of a study with the official YOLOv9, two trials at a
// time, among them ones that crash and ones that diverge. Whenever it is killed, no process is left; in the end no trial is lost, none counts twice, each has each epoch once, and all
// scores are those of a run that nobody disturbed.
func TestRandomKills(t *testing.T) {
	rules, err := json.Marshal([]standin.Rule{
		{Do: standin.DoCrash, When: map[string]float64{"lr0": 0.03}, Epoch: 1},
		{Do: standin.DoNaN, When: map[string]float64{"lr0": 0.04}, Epoch: 1},
		{Do: standin.DoSlow, MS: 60},
	})
	if err != nil {
		t.Fatal(err)
	}
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
objective: {metric: mAP50-95}
trainer: {backend: yolov9, checkout: yolov9, python: sim-python, model: yolov9-t, data: data.yaml, image_size: 64, epochs: 4, batch: 4, device: cpu}
factors: {lr0: [0.01, 0.02, 0.03, 0.04, 0.05]}
design: one-factor
replicates: 2
budget: {parallel: 2}
`,
	})
	env := []string{standin.Variable + "=" + string(rules)}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	kills := 0
	for range 5 {
		cmd, _ := startStudy(t, dir, "disturbed", env)
		after := time.Duration(100+rng.IntN(900)) * time.Millisecond
		time.Sleep(after)
		if err := cmd.Process.Kill(); err != nil {
			break // it has ended already
		}
		if cmd.Wait(); cmd.ProcessState.ExitCode() >= 0 {
			break
		}
		kills++
		nothingLeft(t, filepath.Join(dir, "disturbed"))
	}
	if kills == 0 {
		t.Fatal("the study ended before it was killed once")
	}
	t.Logf("killed %d times", kills)
	for _, out := range []string{"disturbed", "calm"} {
		cmd, text := startStudy(t, dir, out, env)
		if cmd.Wait(); cmd.ProcessState.ExitCode() != exitTrials {
			t.Fatalf("%s: exit code %d, want %d: four trials fail\n%s", out, cmd.ProcessState.ExitCode(), exitTrials, text)
		}
		nothingLeft(t, filepath.Join(dir, out))
	}
	got, want := ended(t, filepath.Join(dir, "disturbed.db")), ended(t, filepath.Join(dir, "calm.db"))
	if len(want) != 10 {
		t.Fatalf("%d points in the calm study, want 10", len(want))
	}
	for key, w := range want {
		g, ok := got[key]
		if !ok {
			t.Errorf("%s was lost", key)
			continue
		}
		if g.State != w.State || len(g.Values) != len(w.Values) || len(g.Values) > 0 && g.Values[0] != w.Values[0] {
			t.Errorf("%s: %v %v, undisturbed %v %v", key, g.State, g.Values, w.State, w.Values)
		}
		if g.State != trials.Complete {
			continue
		}
		var epochs []string
		for _, m := range g.Measurements {
			epochs = append(epochs, trials.FormatValue(int64(m.Epoch)))
		}
		if s := strings.Join(epochs, " "); s != "1 2 3 4" {
			t.Errorf("%s: epochs %s, want each once", key, s)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d points, want %d", len(got), len(want))
	}
}

// ended reads the trials that count, by arm and replicate.
func ended(t *testing.T, path string) map[string]trials.Trial {
	t.Helper()
	all := map[string]trials.Trial{}
	for _, x := range trialsAt(t, path) {
		if x.Superseded() {
			continue
		}
		key := x.Arm() + " " + trials.FormatValue(int64(x.Replicate()))
		if _, twice := all[key]; twice {
			t.Errorf("%s counts twice", key)
		}
		if !x.State.Finished() {
			t.Errorf("%s is %v", key, x.State)
		}
		all[key] = x
	}
	return all
}

// nothingLeft waits until no process has the folder in its environment.
func nothingLeft(t *testing.T, folder string) {
	t.Helper()
	var left []string
	for range 200 {
		if left = mentioning(folder); len(left) == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("processes are left:\n%s", strings.Join(left, "\n"))
}

// mentioning lists the processes with a text in their environment or arguments.
func mentioning(text string) []string {
	var found []string
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range dirs {
		env, _ := os.ReadFile(filepath.Join(d, "environ")) // others' cannot be read, and they are not ours
		line, _ := os.ReadFile(filepath.Join(d, "cmdline"))
		if bytes.Contains(env, []byte(text)) || bytes.Contains(line, []byte(text)) {
			found = append(found, filepath.Base(d)+" "+string(bytes.ReplaceAll(line, []byte{0}, []byte(" "))))
		}
	}
	return found
}
