package evaluate_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

// fixture is one case of testdata/gen.py: COCO's two files and the numbers that pycocotools makes of them.
type fixture struct {
	Name        string
	Images      json.RawMessage
	Categories  json.RawMessage
	Annotations json.RawMessage
	Results     json.RawMessage
	Expected    struct {
		Stats   [12]float64
		CatIDs  []int64 `json:"cat_ids"`
		Classes map[string]struct{ AP, AP50, AP75, APS, APM, APL, AR1, AR10, AR100, ARS, ARM, ARL float64 }
		APTK    [][]float64 `json:"ap_tk"`
		Recall  [][][][]float64
		Prec    [][][]float64
	}
}

type fixtures struct {
	Params struct {
		IoUThrs []float64 `json:"iou_thrs"`
		RecThrs []float64 `json:"rec_thrs"`
	}
	Cases []fixture
}

func loadFixtures(t testing.TB) fixtures {
	t.Helper()
	f, err := os.Open("testdata/fixtures.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all fixtures
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

func (f fixture) task(t testing.TB) *evaluate.Task {
	t.Helper()
	gt := fmt.Sprintf(`{"images": %s, "categories": %s, "annotations": %s}`, f.Images, f.Categories, f.Annotations)
	task, err := evaluate.LoadCOCO(bytes.NewReader([]byte(gt)), bytes.NewReader(f.Results))
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func TestThresholdsAreNumpys(t *testing.T) {
	all := loadFixtures(t)
	if !slices.Equal(evaluate.IoUThresholds(), all.Params.IoUThrs) || !slices.Equal(evaluate.RecallPoints(), all.Params.RecThrs) {
		t.Error("thresholds differ from pycocotools'")
	}
}

// Every number of every case agrees with pycocotools 2.0.11 to 1e-9.
func TestPycocotools(t *testing.T) {
	all := loadFixtures(t)
	if len(all.Cases) != 33 {
		t.Errorf("%d cases, want 33", len(all.Cases))
	}
	worst := 0.0
	for _, f := range all.Cases {
		t.Run(f.Name, func(t *testing.T) {
			task := f.task(t)
			r := task.Score()
			check := func(got, want float64, what string, args ...any) {
				d := math.Abs(got - want)
				worst = max(worst, d)
				if !(d <= 1e-9) {
					t.Errorf(what+": %v, want %v", append(args, got, want)...)
				}
			}
			for i, v := range r.List() {
				check(v, f.Expected.Stats[i], "number %d", i)
			}
			if !slices.Equal(task.ClassIDs, f.Expected.CatIDs) {
				t.Fatalf("classes %v, want %v", task.ClassIDs, f.Expected.CatIDs)
			}
			for k, id := range f.Expected.CatIDs {
				e := f.Expected.Classes[fmt.Sprint(id)]
				want := [12]float64{e.AP, e.AP50, e.AP75, e.APS, e.APM, e.APL, e.AR1, e.AR10, e.AR100, e.ARS, e.ARM, e.ARL}
				for i, v := range r.PerClass[k].List() {
					check(v, want[i], "class %d, number %d", id, i)
				}
				for th := range evaluate.IoUThresholds() {
					sum := 0.0
					for p, v := range r.Precision(th, k, evaluate.AreaAll) {
						sum += v
						if f.Expected.Prec != nil {
							check(v, f.Expected.Prec[th][p][k], "precision %d %d of class %d", th, p, id)
						}
					}
					check(sum/101, f.Expected.APTK[th][k], "AP at threshold %d of class %d", th, id)
					for a := range 4 {
						for l := range 3 {
							check(r.Recall(th, k, a, l), f.Expected.Recall[th][k][a][l], "recall %d %d %d of class %d", th, a, l, id)
						}
					}
				}
			}
			if r.Dropped != 0 {
				t.Errorf("%d detections dropped", r.Dropped)
			}
		})
	}
	t.Logf("largest difference %.2g", worst)
}

// What is not finite, or of no known image or class, is left out, counted, and changes nothing.
func TestDropped(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	box := evaluate.Corners(10, 10, 30, 40)
	gt := []evaluate.GroundTruth{evaluate.Truth(0, 0, box)}
	good := evaluate.Detection{Box: box, Score: .5}
	want := evaluate.COCO(gt, []evaluate.Detection{good}, 1, 1)
	// pycocotools adds 2^-52 to what it divides by, so AP is one or two steps below 1
	if want.AP < 1-1e-12 || want.AR1 != 1 || want.Dropped != 0 || want.APLarge != evaluate.Undefined {
		t.Fatalf("one right detection: %+v", want.Scores)
	}
	bad := []evaluate.Detection{
		{Box: box, Score: nan}, {Box: box, Score: inf}, {Box: evaluate.Box{X: nan, W: 1, H: 1}, Score: .9},
		{Box: evaluate.Box{W: inf, H: 1}, Score: .9}, {Image: 1, Box: box, Score: .9}, {Image: -1, Box: box, Score: .9},
		{Class: 1, Box: box, Score: .9}, {Class: -1, Box: box, Score: .9},
	}
	got := evaluate.COCO(append(gt, evaluate.Truth(5, 0, box), evaluate.Truth(0, 7, box)), append(bad, good), 1, 1)
	if got.Dropped != len(bad) || got.Scores != want.Scores {
		t.Errorf("dropped %d of %d, %+v", got.Dropped, len(bad), got.Scores)
	}
}

// An evaluation leaves its arguments as they were.
func TestArgumentsStay(t *testing.T) {
	gt, dt := epoch(20, 30)
	g, d := slices.Clone(gt), slices.Clone(dt)
	evaluate.COCO(gt, dt, 20, 5)
	if !slices.Equal(gt, g) || !slices.Equal(dt, d) {
		t.Error("arguments were changed")
	}
}

// Any number of goroutines gives the same bits.
func TestCOCOParallel(t *testing.T) {
	gt, dt := crowded(3, 60)
	want := evaluate.COCO(gt, dt, 60, 4)
	for _, workers := range []int{0, 1, 2, 3, 16} {
		if got := evaluate.COCOParallel(gt, dt, 60, 4, workers); !reflect.DeepEqual(got, want) {
			t.Errorf("%d goroutines: %+v, want %+v", workers, got.Scores, want.Scores)
		}
	}
}

// epoch makes a validation: images with 5.6 objects of 5 classes on average, and n detections each.
func epoch(images, n int) (gt []evaluate.GroundTruth, dt []evaluate.Detection) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range images {
		var own []evaluate.GroundTruth
		for range 3 + r.IntN(6) {
			own = append(own, evaluate.Truth(i, r.IntN(5), evaluate.Box{X: r.Float64() * 90, Y: r.Float64() * 90, W: 10 + r.Float64()*25, H: 10 + r.Float64()*25}))
		}
		gt = append(gt, own...)
		for range n {
			g := own[r.IntN(len(own))]
			b := evaluate.Box{X: g.Box.X + 6*r.NormFloat64(), Y: g.Box.Y + 6*r.NormFloat64(), W: g.Box.W * (.7 + .6*r.Float64()), H: g.Box.H * (.7 + .6*r.Float64())}
			k := g.Class
			if r.Float64() < .3 {
				k = r.IntN(5)
			}
			dt = append(dt, evaluate.Detection{Image: i, Class: k, Box: b, Score: r.Float64()})
		}
	}
	return gt, dt
}

// 192 images with 100 detections each, as after every epoch of the quickstart study.
func BenchmarkCOCO(b *testing.B) {
	gt, dt := epoch(192, 100)
	b.ReportAllocs()
	for b.Loop() {
		evaluate.COCO(gt, dt, 192, 5)
	}
}

func TestFastEnough(t *testing.T) {
	gt, dt := epoch(192, 100)
	best := time.Hour
	for range 3 {
		start := time.Now()
		evaluate.COCO(gt, dt, 192, 5)
		best = min(best, time.Since(start))
	}
	if best > 500*time.Millisecond { // ten times the goal: other work may share the machine
		t.Errorf("%v for 192 images with 100 detections each", best)
	}
}
