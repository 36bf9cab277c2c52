package evaluate_test

import (
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

// yoloCase is a case of testdata/gen_yolo.py, with the numbers of the official YOLOv9 program.
type yoloCase struct {
	Name   string
	GT     [][6]float64 // image, class, x, y, w, h
	DT     [][7]float64 // and score
	Images int
	NC     int
	Want   struct {
		Classes  []int
		AP       [][10]float64
		P, R, F1 []float64
		Curves   [][4][]float64 // every 37th point
		Matrix   [][]int
	}
}

func (c yoloCase) boxes() (gt []evaluate.GroundTruth, dt []evaluate.Detection) {
	for _, g := range c.GT {
		gt = append(gt, evaluate.Truth(int(g[0]), int(g[1]), evaluate.Box{X: g[2], Y: g[3], W: g[4], H: g[5]}))
	}
	for _, d := range c.DT {
		dt = append(dt, evaluate.Detection{Image: int(d[0]), Class: int(d[1]), Box: evaluate.Box{X: d[2], Y: d[3], W: d[4], H: d[5]}, Score: d[6]})
	}
	return gt, dt
}

func yoloCases(t *testing.T) (cases []yoloCase) {
	t.Helper()
	f, err := os.Open("testdata/yolo.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err == nil {
		err = json.NewDecoder(z).Decode(&cases)
	}
	if err != nil || len(cases) != 12 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	return cases
}

// Average precision, the best point and the curves are those of the official program.
func TestYOLO(t *testing.T) {
	worst := 0.
	for _, c := range yoloCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			gt, dt := c.boxes()
			r := evaluate.YOLO(gt, dt, c.Images, c.NC)
			check := func(got, want float64, what string, class int) {
				worst = max(worst, math.Abs(got-want))
				if !(math.Abs(got-want) <= 1e-9) {
					t.Errorf("%s of class %d: %v, want %v", what, class, got, want)
				}
			}
			var all, half, p float64
			for i, k := range c.Want.Classes {
				got := r.PerClass[k]
				for th, v := range c.Want.AP[i] {
					check(got.AP[th], v, "AP", k)
					all += v
				}
				half += c.Want.AP[i][0]
				p += c.Want.P[i]
				check(got.Precision, c.Want.P[i], "precision", k)
				check(got.Recall, c.Want.R[i], "recall", k)
				check(got.F1, c.Want.F1[i], "F1", k)
				for j, curve := range [][]float64{got.Curves.Precision, got.Curves.Recall, got.Curves.F1, got.Curves.ByRecall} {
					for n, v := range c.Want.Curves[i][j] {
						check(curve[37*n], v, "curve", k)
					}
				}
			}
			n := float64(len(c.Want.Classes))
			check(r.MAP, all/10/n, "mean AP", -1)
			check(r.MAP50, half/n, "mean AP at 0.5", -1)
			check(r.Precision, p/n, "mean precision", -1)
			for k, got := range r.PerClass {
				if !slices.Contains(c.Want.Classes, k) && (got.Objects != 0 || got.AP[0] != evaluate.Undefined || got.F1 != evaluate.Undefined) {
					t.Errorf("class %d without objects: %+v", k, got)
				}
			}
		})
	}
	t.Logf("largest difference %.2g", worst)
}

func TestYOLOOfNothing(t *testing.T) {
	box := evaluate.Box{W: 9, H: 9}
	crowd := evaluate.GroundTruth{Box: box, Crowd: true}
	for name, r := range map[string]*evaluate.YOLOResult{
		"nothing":     evaluate.YOLO(nil, nil, 0, 0),
		"no object":   evaluate.YOLO(nil, []evaluate.Detection{{Box: box, Score: 1}}, 1, 2),
		"crowd only":  evaluate.YOLO([]evaluate.GroundTruth{crowd}, []evaluate.Detection{{Box: box, Score: 1}}, 1, 1),
		"wrong class": evaluate.YOLO([]evaluate.GroundTruth{evaluate.Truth(0, 5, box)}, nil, 1, 1),
	} {
		if r.MAP != evaluate.Undefined || r.MAP50 != evaluate.Undefined || r.F1 != evaluate.Undefined || r.Mean.F1 != nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
	r := evaluate.YOLO([]evaluate.GroundTruth{evaluate.Truth(0, 0, box)}, []evaluate.Detection{{Box: evaluate.Box{X: math.NaN(), W: 1, H: 1}, Score: .9}, {Box: box, Score: math.Inf(1)}}, 1, 1)
	if r.MAP != 0 || r.Precision != 0 {
		t.Errorf("detections that are no numbers only: %+v", r.MAP)
	}
}

func TestConfuseOfficial(t *testing.T) {
	compared := 0
	for _, c := range yoloCases(t) {
		if c.Want.Matrix == nil {
			continue
		}
		gt, dt := c.boxes()
		got := evaluate.Confuse(gt, dt, c.Images, c.NC, evaluate.ConfusionScore, evaluate.ConfusionIoU)
		for i := range got {
			if !slices.Equal(got[i], c.Want.Matrix[i]) {
				t.Errorf("%s: row %d is %v, want %v", c.Name, i, got[i], c.Want.Matrix[i])
			}
		}
		compared++
	}
	if compared < 5 {
		t.Errorf("%d cases compared", compared)
	}
}

func TestConfuse(t *testing.T) {
	at := func(x float64) evaluate.Box { return evaluate.Box{X: x, W: 10, H: 10} }
	d := func(class int, x, score float64) evaluate.Detection {
		return evaluate.Detection{Class: class, Box: at(x), Score: score}
	}
	truths := []evaluate.GroundTruth{evaluate.Truth(0, 0, at(0)), evaluate.Truth(0, 1, at(50))}
	for name, c := range map[string]struct {
		gt   []evaluate.GroundTruth
		dt   []evaluate.Detection
		want evaluate.Confusion
	}{
		"nothing":               {nil, nil, evaluate.Confusion{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}},
		"found":                 {truths, []evaluate.Detection{d(0, 0, .9), d(1, 50, .9)}, evaluate.Confusion{{1, 0, 0}, {0, 1, 0}, {0, 0, 0}}},
		"taken for the other":   {truths, []evaluate.Detection{d(1, 0, .9)}, evaluate.Confusion{{0, 0, 0}, {1, 0, 0}, {0, 1, 0}}},
		"no match at all":       {truths, []evaluate.Detection{d(1, 200, .9)}, evaluate.Confusion{{0, 0, 0}, {0, 0, 1}, {1, 1, 0}}},
		"nearer wins":           {truths, []evaluate.Detection{d(1, 2, .9), d(0, 1, .5)}, evaluate.Confusion{{1, 0, 0}, {0, 0, 1}, {0, 1, 0}}},
		"equal: score wins":     {truths, []evaluate.Detection{d(0, 1, .5), d(1, 1, .9)}, evaluate.Confusion{{0, 0, 1}, {1, 0, 0}, {0, 1, 0}}},
		"low score":             {truths, []evaluate.Detection{d(0, 0, .25)}, evaluate.Confusion{{0, 0, 0}, {0, 0, 0}, {1, 1, 0}}},
		"unknown class":         {truths, []evaluate.Detection{d(7, 0, .9), {Image: 3, Score: 1}}, evaluate.Confusion{{0, 0, 0}, {0, 0, 0}, {1, 1, 0}}},
		"a crowd is background": {[]evaluate.GroundTruth{{Box: at(0), Crowd: true}}, []evaluate.Detection{d(0, 0, .9)}, evaluate.Confusion{{0, 0, 1}, {0, 0, 0}, {0, 0, 0}}},
	} {
		got := evaluate.Confuse(c.gt, c.dt, 1, 2, evaluate.ConfusionScore, evaluate.ConfusionIoU)
		for i := range c.want {
			if !slices.Equal(got[i], c.want[i]) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
				break
			}
		}
	}
}
