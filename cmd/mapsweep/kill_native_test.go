package main

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// everyKnob trains with all state that a checkpoint of the native trainer can hold.
const everyKnob = `name: s
objective: {metric: loss/box, direction: minimize, epoch: best}
trainer: {backend: native, model: gelan-n, data: data.yaml, image_size: 64, epochs: 6, batch: 4}
baseline: {optimizer: AdamW, amsgrad: true, lr0: 0.002, warmup_bias_lr: 0.01, warmup_epochs: 1.5, warmup_floor: 10, nominal_batch: 20, schedule: flat-cosine, freeze: 1, aux: 0.25,
  aux_assign: main, label_smoothing: 0.05, cls_pw: 1.5, fl_gamma: 0.2, tal_topk: 13, ema_tau: 20, mixup: 0.3, mosaic9: 0.3, copy_paste: 0.3,
  degrees: 5, autoaugment: randaugment, close_mosaic: 2, multi_scale: 0.5, patience: 9, val_interval: 2}
factors: {scale: [0.1, 0.2]}
design: one-factor
replicates: 1
keep: {best: 2, last: 2}
budget: {parallel: 1}
`

// everyKnobEpochs are the epochs of that study: 6 in each of two trainings.
const everyKnobEpochs = 12

// TestKilledNative kills mapsweep twice with SIGKILL at random points of a study of two trainings, one in each half of it,
// killedRounds times anew. The weights in the end are those of a training that nobody disturbed, bit for bit.
func TestKilledNative(t *testing.T) {
	dir := t.TempDir()
	programs(t, dir, "mapsweep")
	samples(t, dir, "train", 28)
	samples(t, dir, "val", 4)
	writeFiles(t, dir, map[string]string{"data.yaml": pictureSet(dir), "s.yaml": everyKnob})
	whole := func(out string) time.Duration {
		begun := time.Now()
		cmd, text := startStudy(t, dir, out, nil)
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%s: %v\n%s", out, err, text)
		}
		return time.Since(begun)
	}
	took := whole("calm")
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 1))
	for round := range killedRounds {
		out := "disturbed" + string(rune('a'+round))
		for half := range 2 { // a trial whose worker vanishes five times counts as lost
			point := float64(everyKnobEpochs-1) * (float64(half) + rng.Float64()) / 2
			cmd, text := startStudy(t, dir, out, nil)
			reach(t, filepath.Join(dir, out, "s"), point, took/everyKnobEpochs, cmd)
			killed := cmd.Process.Kill() == nil
			_ = cmd.Wait()
			at := finished(t, filepath.Join(dir, out, "s"))
			if killed = killed && cmd.ProcessState.ExitCode() < 0; !killed {
				t.Errorf("%s, seed %d: ended before it was killed at point %.2f of %d epochs\n%s", out, seed, point, everyKnobEpochs, text)
			}
			t.Logf("%s: killed at point %.2f of %d epochs, with %d finished", out, point, everyKnobEpochs, at)
		}
		whole(out)
		resumed := 0
		for _, trial := range []string{"trial-0000", "trial-0001"} {
			for _, name := range []string{"last.ckpt", "best.ckpt", "curves.csv"} {
				if read(t, filepath.Join(dir, out, "s", trial, name)) != read(t, filepath.Join(dir, "calm", "s", trial, name)) {
					t.Errorf("%s, seed %d: %s of %s differs from that of a run that nobody disturbed", out, seed, name, trial)
				}
			}
			resumed += strings.Count(read(t, filepath.Join(dir, out, "s", trial, "trial.log")), "resumed")
		}
		t.Logf("%s: gone on with from a checkpoint %d times", out, resumed)
	}
	t.Logf("killed %d times, seed %d; undisturbed it takes %v", 2*killedRounds, seed, took)
}

// reach waits until a study has come to a point, in epochs: until so many whole ones are finished, and then for the broken
// part of the time that one takes, but not for another to end.
func reach(t *testing.T, study string, point float64, epoch time.Duration, cmd *exec.Cmd) {
	t.Helper()
	for limit := time.Now().Add(5 * time.Minute); finished(t, study) < int(point); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			_ = cmd.Process.Kill()
			t.Fatalf("point %.2f was not reached", point)
		}
	}
	part := time.Duration((point - float64(int(point))) * float64(epoch))
	for end := time.Now().Add(part); time.Now().Before(end) && finished(t, study) <= int(point); time.Sleep(time.Millisecond) {
	}
}

// finished is the number of epochs that the trials of a study have written down in their logs.
func finished(t *testing.T, study string) (total int) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(study, "trial-*", "trial.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range logs {
		last := 0
		for line := range strings.Lines(read(t, path)) {
			var n int
			if _, err := fmt.Sscanf(line, "epoch %d/", &n); err == nil {
				last = max(last, n)
			}
		}
		total += last
	}
	return total
}
