package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer/yolov9/standin"
)

// BenchmarkOverhead runs a study of 1,000 trials of the official YOLOv9, played by the stand-in, and reports the
// processor time that mapsweep itself takes for each: claim, launcher, table, store, report. The stand-in's own time
// is not in it. One iteration is one study:
//
//	go test -run '^$' -bench Overhead -benchtime 1x ./cmd/mapsweep
func BenchmarkOverhead(b *testing.B) {
	for _, trials := range []int{100, 400, 1000} {
		b.Run(fmt.Sprint(trials), func(b *testing.B) {
			var cpu, wall time.Duration
			for range b.N {
				c, w := overhead(b, trials)
				cpu, wall = cpu+c, wall+w
			}
			n := float64(b.N * trials)
			b.ReportMetric(cpu.Seconds()*1e3/n, "cpu-ms/trial")
			b.ReportMetric(wall.Seconds()*1e3/n, "wall-ms/trial")
		})
	}
}

func overhead(b *testing.B, trials int) (cpu, wall time.Duration) {
	dir := b.TempDir()
	if err := standin.Checkout(filepath.Join(dir, "yolov9")); err != nil {
		b.Fatal(err)
	}
	python := filepath.Join(dir, "sim-python") // TestMain looks at the name
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	if err := os.Symlink(self, python); err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{
		"data.yaml": "path: " + dir + "\ntrain: images/train\nval: images/val\nnames: [square]\n",
		"s.yaml": fmt.Sprintf(`name: s
objective: {metric: mAP50-95}
trainer: {backend: yolov9, checkout: yolov9, python: %s, model: gelan-t, data: data.yaml, image_size: 64, epochs: 3, batch: 4, device: cpu}
baseline: {lr0: 0.01}
factors: {lr0: {levels: [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1]}}
design: one-factor
replicates: %d
budget: {parallel: 2}
`, python, trials/10),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	samples(b, dir, "train", 4)
	samples(b, dir, "val", 2)
	before, began := ownTime(b), time.Now()
	var out strings.Builder
	if code := run([]string{"run", filepath.Join(dir, "s.yaml"), "--plain", "--db", filepath.Join(dir, "runs.db"), "--out", filepath.Join(dir, "runs")}, &out, io.Discard); code != 0 {
		var why strings.Builder
		run([]string{"show", "s", "0", "--db", filepath.Join(dir, "runs.db")}, &why, &why)
		b.Fatalf("exit code %d\n%s\n%s", code, out.String(), why.String())
	}
	return ownTime(b) - before, time.Since(began)
}

// ownTime is the processor time of this process, without that of its children.
func ownTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
