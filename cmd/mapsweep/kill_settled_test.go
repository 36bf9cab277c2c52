package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// killedScript is a trainer whose score follows from its parameter and seed alone, and which notes every start.
const killedScript = `x=$MAPSWEEP_PARAM_X; s=$MAPSWEEP_SEED
sleep 0.03
case $x in 1) e=0;; 2) e=10000;; 3) e=700;; 4) e=0;; esac
shared=$(( s % 4001 )); own=$(( (s / 7 + x * 7919) * (2 * x + 1) % 601 ))
[ $x = 4 ] && [ $(( s % 5 )) = 0 ] && { echo '{"epoch": 1, "mAP50": NaN}' >> $MAPSWEEP_METRICS; exit 0; }
echo "{\"epoch\": 1, \"mAP50\": $(( 30000 + e + shared + own ))e-5}" >> $MAPSWEEP_METRICS
`

// TestKilledUntilSettled kills mapsweep with SIGKILL at random moments while variants are settled one by one. In the
// end its table is that of a run that nobody disturbed, and no replicate is there twice.
func TestKilledUntilSettled(t *testing.T) {
	dir := t.TempDir()
	programs(t, dir, "mapsweep")
	writeFiles(t, dir, map[string]string{"train.sh": killedScript, "s.yaml": `name: s
objective: {metric: mAP50}
trainer: {backend: command, command: [sh, train.sh], epochs: 1}
baseline: {x: 1}
factors: {x: [1, 2, 3, 4]}
design: one-factor
replicates: {until: settled}
budget: {parallel: 2}
`})
	calm, text := startStudy(t, dir, "calm", nil)
	begun := time.Now()
	_ = calm.Wait() // the exit code says how it ended
	code := calm.ProcessState.ExitCode()
	if code != exitTrials {
		t.Fatalf("exit code %d\n%s", code, text)
	}
	whole := time.Since(begun)
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 1))
	kills := 0
	for range 8 {
		cmd, _ := startStudy(t, dir, "disturbed", nil)
		time.Sleep(time.Duration(float64(whole) * (0.05 + 0.25*rng.Float64())))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if cmd.ProcessState.ExitCode() >= 0 {
			break
		}
		kills++
	}
	if kills == 0 {
		t.Fatal("the study ended before it was killed once")
	}
	t.Logf("killed %d times, seed %d", kills, seed)
	cmd, text := startStudy(t, dir, "disturbed", nil)
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("exit code %d, undisturbed %d\n%s", got, code, text)
	}
	for _, name := range []string{"table.csv", "table.md"} {
		got, want := read(t, filepath.Join(dir, "disturbed", "s", "report", name)), read(t, filepath.Join(dir, "calm", "s", "report", name))
		if got != want {
			t.Errorf("%s:\n%s\nundisturbed\n%s", name, got, want)
		}
	}
	got, want := ended(t, filepath.Join(dir, "disturbed.db")), ended(t, filepath.Join(dir, "calm.db"))
	for key, w := range want {
		if g, ok := got[key]; !ok || g.State != w.State || len(g.Values) != len(w.Values) || len(g.Values) > 0 && g.Values[0] != w.Values[0] {
			t.Errorf("%s: %v %v, undisturbed %v %v", key, g.State, g.Values, w.State, w.Values)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d points, undisturbed %d", len(got), len(want))
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
