package evaluate_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

// validation makes one of COCO's size and shape: 36,000 objects on 5,000 images, 80 classes of which few are frequent,
// about 100 detections an image, of which as many are right as make an AP near 0.45. What is detected differs by run.
func validation(run uint64, images int) (gt []evaluate.GroundTruth, dt []evaluate.Detection) {
	scene := rand.New(rand.NewPCG(1, 2))
	r := rand.New(rand.NewPCG(run, 3))
	class := func(g *rand.Rand) int { return int(80 * math.Pow(g.Float64(), 3)) }
	for i := range images {
		n := 1 + int(scene.ExpFloat64()*6.2)
		for range n {
			side := 8 * math.Exp(scene.Float64()*3.3)
			g := evaluate.Truth(i, class(scene), evaluate.Box{X: scene.Float64() * 600, Y: scene.Float64() * 440, W: side, H: side})
			gt = append(gt, g)
			hard := scene.Float64()
			for c := range 3 { // the object, and boxes near it
				off := (.02 + .12*hard*r.Float64()) * (1 + 2*float64(c))
				b := evaluate.Box{X: g.Box.X + off*side*r.NormFloat64(), Y: g.Box.Y + off*side*r.NormFloat64(), W: side * (1 + off*r.NormFloat64()), H: side * (1 + off*r.NormFloat64())}
				dt = append(dt, evaluate.Detection{Image: i, Class: g.Class, Box: b, Score: (1 - .6*hard) * math.Pow(r.Float64(), .4+1.5*float64(c))})
			}
		}
		for range 78 {
			side := 8 * math.Exp(r.Float64()*3.3)
			b := evaluate.Box{X: r.Float64() * 600, Y: r.Float64() * 440, W: side, H: side}
			dt = append(dt, evaluate.Detection{Image: i, Class: class(r), Box: b, Score: .7 * math.Pow(r.Float64(), 4)})
		}
	}
	return gt, dt
}

// BenchmarkWalk is one average precision of a drawn validation of COCO's size.
func BenchmarkWalk(b *testing.B) {
	const images = 5000
	gt, dt := validation(1, images)
	m := evaluate.Match(gt, dt, images, names(80))
	data := encoded(b, m)
	t := evaluate.Target{Area: evaluate.AreaAll, Last: 9}
	w, d := m.NewWalk(t), m.NewDraw(t)
	counts := make([]int, images)
	r := rand.New(rand.NewPCG(1, 1))
	for range images {
		counts[r.IntN(images)]++
	}
	d.Set(counts)
	s := m.Score(evaluate.Subset{})
	b.Logf("%d objects, %d detections, %d kept, %d steps, %d bytes, AP %.3f, AP50 %.3f", len(gt), len(dt), m.Detections(), w.Steps(), len(data), s.AP, s.AP50)
	b.ReportAllocs()
	for b.Loop() {
		w.AP(d)
	}
}

func BenchmarkDrawSet(b *testing.B) {
	const images = 5000
	gt, dt := validation(1, images)
	m := evaluate.Match(gt, dt, images, names(80))
	d := m.NewDraw(evaluate.Target{Area: evaluate.AreaAll, Last: 9})
	counts := make([]int, images)
	for i := range counts {
		counts[i] = i % 3
	}
	for b.Loop() {
		d.Set(counts)
	}
}
