package native_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trials"
)

// tiny are 7 of the training and 2 of the validation pictures.
func tiny(ctx context.Context, ref string, opts dataset.Options) (*dataset.Dataset, error) {
	d, err := scenes(ctx, ref, opts)
	d.Train, d.Val = d.Train[:7], d.Val[:2]
	return d, err
}

// promised is a backend on the GPU for what runs must promise: all scenes on a real one, few over the emulator.
func promised(t *testing.T) *native.Backend {
	return onEmulator(t, func(c *native.Config) {
		if !emulator.Real() {
			tinyScenes(c)
			return
		}
		c.Load = scenes
	})
}

// leftFiles are the files of a run that do not depend on when it ran.
var leftFiles = []string{"last.ckpt", "curves.csv"}

// sameFiles holds the files of two runs against each other.
func sameFiles(t *testing.T, what, dir, want string) {
	t.Helper()
	for _, name := range leftFiles {
		if !bytes.Equal(read(t, filepath.Join(dir, name)), read(t, filepath.Join(want, name))) {
			t.Errorf("%s: %s is another one", what, name)
		}
	}
}

// TestTwoAtOnceGPU: two trials at once on one GPU, in one process, give what each gives alone.
func TestTwoAtOnceGPU(t *testing.T) {
	b := promised(t)
	jobs := []trainer.Job{{Epochs: 2, Seed: 3, Params: trials.Params{"warmup_epochs": 0.5}}, {Epochs: 2, Seed: 4, Params: trials.Params{"mosaic": 0.0, "lr0": 0.01}}}
	if emulator.Real() {
		jobs[0].Epochs, jobs[1].Epochs = 12, 12
	}
	type outcome struct {
		dir string
		all []trials.Measurement
		err error
	}
	run := func(job trainer.Job) (o outcome) {
		o.dir = job.Dir
		_, o.err = b.Train(t.Context(), job, func(m trials.Measurement) { o.all = append(o.all, m) })
		return o
	}
	var alone, together [2]outcome
	for i, job := range jobs {
		job.Dir = t.TempDir()
		alone[i] = run(job)
	}
	var wg sync.WaitGroup
	for i, job := range jobs {
		job.Dir = t.TempDir()
		wg.Go(func() { together[i] = run(job) })
	}
	wg.Wait()
	for i := range jobs {
		if alone[i].err != nil || together[i].err != nil {
			t.Fatalf("trial %d: alone %v, together %v", i, alone[i].err, together[i].err)
		}
		if !reflect.DeepEqual(measured(together[i].all), measured(alone[i].all)) {
			t.Errorf("trial %d measures\n%v, alone\n%v", i, measured(together[i].all), measured(alone[i].all))
		}
		sameFiles(t, fmt.Sprint("trial ", i), together[i].dir, alone[i].dir)
	}
}

// killedRun names the folder of a run of TestKillsGPU in the process that carries it out.
const killedRun = "MAPSWEEP_TEST_KILLED_RUN"

// TestKillsGPU kills the process of a run with SIGKILL at random points, ten times on a GPU and once over the emulator, and
// goes on from its checkpoint each time. In the end it has left what an undisturbed one leaves, bit for bit.
func TestKillsGPU(t *testing.T) {
	kills, job := 1, trainer.Job{Epochs: 3, Seed: 5, Params: trials.Params{"warmup_epochs": 0.5}}
	if emulator.Real() {
		kills, job.Epochs = 10, 40
	}
	b := promised(t)
	if job.Dir = os.Getenv(killedRun); job.Dir != "" {
		job.Resume, _ = b.Latest(job.Dir)
		if _, err := b.Train(t.Context(), job, func(trials.Measurement) {}); err != nil {
			t.Fatal(err)
		}
		return
	}
	calm, disturbed := t.TempDir(), t.TempDir()
	begun := time.Now()
	if out, err := child(calm).CombinedOutput(); err != nil {
		t.Fatalf("undisturbed: %v\n%s", err, out)
	}
	epoch := time.Since(begun) / time.Duration(job.Epochs)
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range kills {
		point := 1 + float64(job.Epochs-2)*(float64(i)+r.Float64())/float64(kills)
		c := child(disturbed)
		var said bytes.Buffer
		c.Stdout, c.Stderr = &said, &said
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		waitFor(disturbed, point, epoch, ended)
		_ = c.Process.Kill()
		<-ended
		if c.ProcessState.ExitCode() >= 0 {
			t.Errorf("seed %d: ended before it was killed at point %.2f of %d epochs\n%s", seed, point, job.Epochs, &said)
		}
	}
	if out, err := child(disturbed).CombinedOutput(); err != nil {
		t.Fatalf("after %d kills: %v\n%s", kills, err, out)
	}
	sameFiles(t, fmt.Sprintf("killed %d times, seed %d", kills, seed), disturbed, calm)
	t.Logf("killed %d times, seed %d; gone on with from a checkpoint %d times", kills, seed, strings.Count(string(read(t, filepath.Join(disturbed, "trial.log"))), "resumed"))
}

func child(dir string) *exec.Cmd {
	c := exec.Command(os.Args[0], "-test.run", "^TestKillsGPU$")
	c.Env = append(os.Environ(), killedRun+"="+dir)
	return c
}

// waitFor waits for a point of a run, in epochs: whole ones by its log, and the rest by the time that an epoch takes. It
// returns early where the process ends.
func waitFor(dir string, point float64, epoch time.Duration, ended chan error) {
	end := func() bool {
		select {
		case err := <-ended:
			ended <- err
			return true
		case <-time.After(time.Millisecond):
			return false
		}
	}
	for epochs(dir) < int(point) && !end() {
	}
	for until := time.Now().Add(time.Duration((point - float64(int(point))) * float64(epoch))); time.Now().Before(until) && epochs(dir) <= int(point) && !end(); {
	}
}

// epochs is how many of a run are finished, by its log.
func epochs(dir string) (n int) {
	data, err := os.ReadFile(filepath.Join(dir, "trial.log"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		var k int
		if _, err := fmt.Sscanf(line, "epoch %d/", &k); err == nil {
			n = max(n, k)
		}
	}
	return n
}
