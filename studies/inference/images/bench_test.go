package images_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies/inference/images"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

const (
	cocoImages  = 5000
	cocoClasses = 80
)

// validation makes one of COCO's size: about 36,000 objects of 80 classes, few of them frequent, on 5,000 images, about
// 100 detections an image. What is detected depends on the run.
func validation(run uint64, lift float64) (gt []evaluate.GroundTruth, dt []evaluate.Detection) {
	scene := rand.New(rand.NewPCG(1, 2))
	r := rand.New(rand.NewPCG(run, 3))
	class := func(g *rand.Rand) int { return int(cocoClasses * math.Pow(g.Float64(), 3)) }
	size := func(g *rand.Rand) float64 { return 8 * math.Exp(g.Float64()*3.3) }
	for i := range cocoImages {
		for range 1 + int(scene.ExpFloat64()*6.7) {
			side := size(scene)
			g := evaluate.Truth(i, class(scene), evaluate.Box{X: scene.Float64() * 600, Y: scene.Float64() * 440, W: side, H: side})
			gt = append(gt, g)
			hard := scene.Float64()
			for c := range 3 { // the object, and boxes near it
				off := (.02 + .06*hard*r.Float64()) * (1 + 2*float64(c)) * (1 - lift)
				b := evaluate.Box{X: g.Box.X + off*side*r.NormFloat64(), Y: g.Box.Y + off*side*r.NormFloat64(), W: side * (1 + off*r.NormFloat64()), H: side * (1 + off*r.NormFloat64())}
				dt = append(dt, evaluate.Detection{Image: i, Class: g.Class, Box: b, Score: (1 - .6*hard) * math.Pow(r.Float64(), .2+2*float64(c))})
			}
		}
		for range 78 {
			b := evaluate.Box{X: r.Float64() * 600, Y: r.Float64() * 440, W: size(r), H: size(r)}
			dt = append(dt, evaluate.Detection{Image: i, Class: class(r), Box: b, Score: .6 * math.Pow(r.Float64(), 4)})
		}
	}
	return gt, dt
}

func names() []string {
	var s []string
	for k := range cocoClasses {
		s = append(s, fmt.Sprint("class ", k))
	}
	return s
}

// two makes two arms of n seeds.
func two(n int) []images.Arm {
	arms := []images.Arm{{Name: "baseline", Runs: map[int]*evaluate.Matches{}}, {Name: "variant", Runs: map[int]*evaluate.Matches{}}}
	for a := range arms {
		for s := range n {
			gt, dt := validation(uint64(10*s+a), .1*float64(a))
			arms[a].Runs[s] = evaluate.Match(gt, dt, cocoImages, names())
		}
	}
	return arms
}

// BenchmarkTwoLevel is the interval of a difference of mAP50-95: two arms of 12 seeds, 5,000 pictures, 2,000 draws.
func BenchmarkTwoLevel(b *testing.B) {
	arms := two(12)
	o := images.Options{Target: all, Draws: 2000, Seed: 1}
	if testing.Short() {
		o.Draws = 100
	}
	b.Logf("%d steps a draw, %d detections kept of the first run", images.Steps(arms, all), arms[0].Runs[0].Detections())
	start := used()
	for b.Loop() {
		e := analyse(b, arms, o).Effects[0]
		b.Logf("%.4f [%.4f, %.4f], seeds alone [%.4f, %.4f]: %s", e.Mean, e.Low, e.High, e.SeedLow, e.SeedHigh, e.Advice)
	}
	b.ReportMetric((used()-start).Seconds()/float64(b.N), "CPU-s/op")
}

// used is the CPU time of this process so far: others may share the machine.
func used() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPeer compares one AP of drawn pictures, on one core, with pycocotools, whose matches are kept, too, and whose
// accumulate runs for each draw, for the one area range and limit of detections that are needed. The interpreter is
// named by MAPSWEEP_PEER_PYTHON; numpy and pycocotools must be installed. Both must find the same AP.
func BenchmarkPeer(b *testing.B) {
	python := os.Getenv("MAPSWEEP_PEER_PYTHON")
	if python == "" {
		b.Skip("MAPSWEEP_PEER_PYTHON names no interpreter with pycocotools")
	}
	gt, dt := validation(1, 0)
	const draws = 3
	counts := make([][]int, draws)
	r := rand.New(rand.NewPCG(4, 4))
	for d := range counts {
		counts[d] = make([]int, cocoImages)
		for range cocoImages {
			counts[d][r.IntN(cocoImages)]++
		}
	}
	file := filepath.Join(b.TempDir(), "peer.json")
	data, err := json.Marshal(map[string]any{"truths": gt, "found": dt, "counts": counts, "images": cocoImages, "classes": cocoClasses})
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		b.Fatal(err)
	}
	out, err := exec.Command(python, "testdata/peer.py", file).Output()
	if err != nil {
		b.Fatal(err)
	}
	var peer struct {
		Tool    string
		Seconds float64 // CPU time of one draw, median
		AP      []float64
	}
	if err := json.Unmarshal(out, &peer); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	m := evaluate.Match(gt, dt, cocoImages, names())
	w, d := m.NewWalk(all), m.NewDraw(all)
	start := used()
	n := 0
	for b.Loop() {
		d.Set(counts[n%draws])
		if ap := w.AP(d); math.Abs(ap-peer.AP[n%draws]) > 1e-6 {
			b.Fatalf("draw %d: AP %v, pycocotools has %v", n%draws, ap, peer.AP[n%draws])
		}
		n++
	}
	ours := (used() - start).Seconds() / float64(n)
	b.ReportMetric(peer.Seconds/ours, "peer/ours")
	b.Logf("%s: %.2f s a draw, ours %.5f s; AP %v", peer.Tool, peer.Seconds, ours, peer.AP)
}
