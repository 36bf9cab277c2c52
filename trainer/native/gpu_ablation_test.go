//go:build peers

package native_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
)

var (
	binary_   = flag.String("binary", "../../bin/cuda/mapsweep", "the program mapsweep of TestAblationGPU")
	settings  = flag.String("settings", "trainer.precision=bf16", "settings of the study in TestAblationGPU, separated by spaces")
	packed    = flag.Int("packed", 8, "trials of ours at once on the GPU")
	processes = flag.String("processes", "1,4", "numbers of PyTorch's processes at once, separated by commas")
	manners   = flag.String("manners", "bf16-eager,bf16-graph", "how PyTorch trains, by the names of trial.py, separated by commas")
	epochs_   = flag.Int("epochs", 40, "epochs of a trial, as the study has them")
	pixels    = flag.Int("pixels", 128, "pixels a side, as the study has them")
	within    = flag.Duration("within", 150*time.Second, "ours, and all of PyTorch's together, begin no trial after so long")
)

// TestAblationGPU counts trials an hour: of the shipped study "augmentation", packed on the first GPU by the program itself,
// and of PyTorch's trials of the same pictures and epochs, a process each, some at once. Ours does all that a study does, from
// the first line of its study file to the report; PyTorch's do less, see trial.py.
func TestAblationGPU(t *testing.T) {
	ours := oursAnHour(t)
	best := 0.0
	names := strings.Split(*manners, ",")
	counts := strings.Split(*processes, ",")
	var data []string
	for _, name := range []string{"digits-dense", "digits-uniform", "digits-few"} {
		data = append(data, writePictures(t, "builtin:"+name))
	}
	if python(t, "trial.py") == nil {
		names = nil
	}
	for _, manner := range names {
		for _, count := range counts {
			k, err := strconv.Atoi(count)
			if err != nil || k < 1 {
				t.Fatalf("-processes %s: %q is no number above 0", *processes, count)
			}
			n, err := torchAnHour(t, data, manner, k, *within/time.Duration(len(names)*len(counts)))
			if err != nil {
				fmt.Printf("  PyTorch %s, %d at once: left out: %v\n", manner, k, err)
				continue
			}
			best = max(best, n)
			fmt.Printf("  PyTorch %s, %d at once: %.0f trials an hour; ours %.2f times\n", manner, k, n, ours/n)
		}
	}
	if best > 0 && emulator.Real() {
		verdict := "reached"
		if ours < 10*best {
			verdict = "not reached"
		}
		fmt.Printf("  goal of 10 times the best of PyTorch: %s with %.2f\n", verdict, ours/best)
	}
	if !emulator.Real() {
		fmt.Println("  emulated: these times say nothing")
	}
}

// oursAnHour runs the study and counts the trials that it finishes.
func oursAnHour(t *testing.T) float64 {
	t.Helper()
	emulator.Use(t)
	dir := t.TempDir()
	args := []string{"run", "augmentation", "--plain", "--db", filepath.Join(dir, "db"), "--out", dir, "--parallel", strconv.Itoa(*packed)}
	for _, s := range append([]string{"trainer.device=cuda:0", fmt.Sprint("trainer.epochs=", *epochs_), fmt.Sprint("trainer.image_size=", *pixels),
		fmt.Sprintf("budget.wall_clock=%ds", int(within.Seconds()))}, strings.Fields(*settings)...) {
		args = append(args, "--set", s)
	}
	start := time.Now()
	out, err := exec.CommandContext(t.Context(), *binary_, args...).CombinedOutput()
	seconds := time.Since(start).Seconds()
	logs, globErr := filepath.Glob(filepath.Join(dir, "*", "trial-*", "trial.log"))
	if globErr != nil {
		t.Fatal(globErr)
	}
	done := 0
	for _, path := range logs {
		if bytes.Contains(read(t, path), []byte("\ndone: ")) {
			done++
		}
	}
	if done == 0 {
		t.Fatalf("mapsweep %s: %v: no trial was finished\n%s", strings.Join(args, " "), err, out)
	}
	n := float64(done) / seconds * 3600
	fmt.Printf("augmentation study, gelan-n, %d px, %d epochs\n  mapsweep, up to %d at once (%s): %d trials in %.1f s: %.0f an hour (%v)\n", *pixels, *epochs_, *packed, *settings, done, seconds, n, err)
	return n
}

// torchAnHour starts trials, so many at once, until the time is over, and counts those that ended until then or after.
func torchAnHour(t *testing.T, data []string, manner string, atOnce int, limit time.Duration) (float64, error) {
	t.Helper()
	var mu sync.Mutex
	var failed error
	begun, done := 0, 0
	start := time.Now()
	one := func() bool {
		mu.Lock()
		k := begun
		over := failed != nil || k >= atOnce && time.Since(start) > limit
		begun++
		mu.Unlock()
		if over {
			return false
		}
		mosaic, mixup := "1", "0.15"
		if k/len(data)%5 == 1 {
			mosaic, mixup = "0", "0"
		}
		c := python(t, "trial.py", data[k%len(data)], strconv.Itoa(k), strconv.Itoa(*epochs_), "16", manner, mosaic, mixup)
		out, err := c.CombinedOutput()
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			failed = fmt.Errorf("%w: %s", err, bytes.TrimSpace(out[max(0, len(out)-400):]))
			return false
		}
		done++
		return true
	}
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for one() {
			}
		})
	}
	wg.Wait()
	return float64(done) / time.Since(start).Seconds() * 3600, failed
}

// writePictures writes a data set as trial.py reads it.
func writePictures(t *testing.T, name string) string {
	t.Helper()
	d, err := dataset.Load(context.Background(), name, dataset.Options{Size: *pixels})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	put := func(v any) {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	put([]uint32{uint32(len(d.Train)), uint32(len(d.Val)), uint32(d.Size), uint32(len(d.Classes))})
	for _, split := range [][]dataset.Image{d.Train, d.Val} {
		for i := range split {
			pix, err := split[i].Pixels()
			if err != nil {
				t.Fatal(err)
			}
			b.Write(pix)
		}
	}
	var rows []float32
	for i, m := range d.Train {
		for _, o := range m.Boxes {
			rows = append(rows, float32(i), float32(o.Class), o.X0, o.Y0, o.X1, o.Y1)
		}
	}
	put(uint32(len(rows) / 6))
	put(rows)
	path := filepath.Join(t.TempDir(), strings.TrimPrefix(name, "builtin:"))
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
