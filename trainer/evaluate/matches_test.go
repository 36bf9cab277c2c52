package evaluate_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

// close12 says that two scores are one but for rounding.
func close12(a, b evaluate.Scores) string {
	x, y := a.List(), b.List()
	for i := range x {
		if d := math.Abs(x[i] - y[i]); !(d <= 1e-12) {
			return fmt.Sprintf("number %d is %v, want %v (%.2g)", i, x[i], y[i], d)
		}
	}
	return ""
}

func names(n int) []string {
	s := make([]string, n)
	for i := range s {
		s[i] = fmt.Sprint("class", i)
	}
	return s
}

func encoded(t testing.TB, m *evaluate.Matches) []byte {
	t.Helper()
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// coded is m after a journey through bytes, which must not change it.
func coded(t testing.TB, m *evaluate.Matches) *evaluate.Matches {
	t.Helper()
	back, err := evaluate.DecodeMatches(encoded(t, m))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(encoded(t, back), encoded(t, m)) {
		t.Error("decoded matches encode otherwise")
	}
	return back
}

// Matches give the scores of every case that pycocotools 2.0.11 computed, over all and by class.
func TestMatchesPycocotools(t *testing.T) {
	for _, f := range loadFixtures(t).Cases {
		t.Run(f.Name, func(t *testing.T) {
			task := f.task(t)
			m := coded(t, evaluate.Match(task.Truths, task.Detections, len(task.ImageIDs), task.ClassNames))
			for i, v := range m.Score(evaluate.Subset{}).List() {
				if d := math.Abs(v - f.Expected.Stats[i]); !(d <= 1e-9) {
					t.Errorf("number %d: %v, want %v", i, v, f.Expected.Stats[i])
				}
			}
			want := task.Score()
			if d := close12(m.Score(evaluate.Subset{}), want.Scores); d != "" {
				t.Error(d)
			}
			for k, s := range m.ScoreClasses(evaluate.Subset{}) {
				if d := close12(s, want.PerClass[k]); d != "" {
					t.Errorf("class %d: %s", k, d)
				}
			}
		})
	}
}

// crowded adds what epoch lacks: crowds, sizes of all ranges, equal scores.
func crowded(seed uint64, images int) (gt []evaluate.GroundTruth, dt []evaluate.Detection) {
	r := rand.New(rand.NewPCG(seed, 7))
	for i := range images {
		var own []evaluate.GroundTruth
		for range r.IntN(8) {
			side := []float64{12, 32, 60, 96, 150}[r.IntN(5)]
			g := evaluate.Truth(i, r.IntN(4), evaluate.Box{X: r.Float64() * 300, Y: r.Float64() * 300, W: side, H: side})
			g.Crowd = r.IntN(8) == 0
			own = append(own, g)
		}
		gt = append(gt, own...)
		score := r.Perm(60) // equal between images, never inside one
		for j := range 4 * len(own) {
			g := own[r.IntN(len(own))]
			b := evaluate.Box{X: g.Box.X + g.Box.W*.1*r.NormFloat64(), Y: g.Box.Y + g.Box.H*.1*r.NormFloat64(), W: g.Box.W * (.8 + .4*r.Float64()), H: g.Box.H}
			dt = append(dt, evaluate.Detection{Image: i, Class: (g.Class + r.IntN(5)/4) % 4, Box: b, Score: float64(score[j]) / 60})
		}
	}
	return gt, dt
}

// times repeats images as a bootstrap does: image i stands counts[i] times.
func times(gt []evaluate.GroundTruth, dt []evaluate.Detection, counts []int) (g []evaluate.GroundTruth, d []evaluate.Detection, images int) {
	for i, n := range counts {
		for range n {
			for _, x := range gt {
				if x.Image == i {
					x.Image = images
					g = append(g, x)
				}
			}
			for _, x := range dt {
				if x.Image == i {
					x.Image = images
					d = append(d, x)
				}
			}
			images++
		}
	}
	return g, d, images
}

// Scores of drawn images, of some images and of some classes are those of COCO on files that hold just these.
func TestMatchesResample(t *testing.T) {
	for seed := range uint64(20) {
		const images = 25
		gt, dt := crowded(seed, images)
		m := coded(t, evaluate.Match(gt, dt, images, names(4)))
		r := rand.New(rand.NewPCG(seed, 9))
		counts, some := make([]int, images), make([]bool, images)
		for range images {
			counts[r.IntN(images)]++
		}
		in := make([]int, images)
		some = some[:images-3] // images beyond the end of the list are out
		for i := range some {
			if some[i] = r.IntN(3) > 0; some[i] {
				in[i] = 1
			}
		}
		g, d, n := times(gt, dt, counts)
		if text := close12(m.Resample(counts, evaluate.Subset{}), evaluate.COCO(g, d, n, 4).Scores); text != "" {
			t.Errorf("seed %d, drawn images: %s", seed, text)
		}
		g, d, n = times(gt, dt, in)
		want := evaluate.COCO(g, d, n, 4)
		if text := close12(m.Score(evaluate.Subset{Images: some}), want.Scores); text != "" {
			t.Errorf("seed %d, some images: %s", seed, text)
		}
		for k, s := range m.ScoreClasses(evaluate.Subset{Images: some}) {
			if text := close12(s, want.PerClass[k]); text != "" {
				t.Errorf("seed %d, class %d: %s", seed, k, text)
			}
		}
		drop := func(class int) bool { return class != 1 && class != 3 }
		g = slices.DeleteFunc(slices.Clone(gt), func(x evaluate.GroundTruth) bool { return drop(x.Class) })
		if text := close12(m.Score(evaluate.Subset{Classes: []int{3, 1, 99, -1}}), evaluate.COCO(g, dt, images, 4).Scores); text != "" {
			t.Errorf("seed %d, two classes: %s", seed, text)
		}
	}
}

func TestMatchesOfNothing(t *testing.T) {
	for name, m := range map[string]*evaluate.Matches{
		"no image": evaluate.Match(nil, nil, 0, nil), "no object": evaluate.Match(nil, []evaluate.Detection{{Box: evaluate.Box{W: 9, H: 9}, Score: 1}}, 3, names(2)),
	} {
		m = coded(t, m)
		for _, v := range m.Score(evaluate.Subset{}).List() {
			if v != evaluate.Undefined {
				t.Errorf("%s: a score of %v", name, v)
			}
		}
		if m.Detections() != 0 || slices.Contains(m.Dense(.8), true) {
			t.Errorf("%s: %d detections kept, dense %v", name, m.Detections(), m.Dense(.8))
		}
	}
	m := evaluate.Match(nil, nil, 2, names(1))
	if v := m.Score(evaluate.Subset{Classes: []int{}}).AP; v != evaluate.Undefined {
		t.Errorf("no class scores %v", v)
	}
}

// The hash is of the pictures' objects, and of nothing that a run does.
func TestPictures(t *testing.T) {
	gt, dt := crowded(1, 10)
	a := evaluate.Match(gt, dt, 10, names(4))
	b := evaluate.Match(gt, nil, 10, names(4))
	if a.Pictures != b.Pictures || len(a.Pictures) != 32 {
		t.Errorf("hashes %q and %q of the same pictures", a.Pictures, b.Pictures)
	}
	moved := slices.Clone(gt)
	moved[3].Box.X++
	for name, m := range map[string]*evaluate.Matches{"object moved": evaluate.Match(moved, dt, 10, names(4)), "more images": evaluate.Match(gt, dt, 11, names(4)), "other names": evaluate.Match(gt, dt, 10, []string{"a", "b", "c", "d"})} {
		if m.Pictures == a.Pictures {
			t.Errorf("%s: the same hash", name)
		}
	}
}

func TestDense(t *testing.T) {
	for _, c := range []struct {
		objects []int
		q       float64
		want    []bool
	}{
		{[]int{1, 2, 3, 4, 5}, .8, []bool{false, false, false, true, true}}, // the 4th of 5 has 4
		{[]int{5, 1, 4, 2, 3, 0}, .8, []bool{true, false, true, false, false, false}},
		{[]int{2, 2, 2, 7}, .5, []bool{true, true, true, true}}, // ties belong to it
		{[]int{0, 0, 0, 1}, .5, []bool{false, false, false, true}},
		{[]int{3, 1}, 0, []bool{true, true}},
		{[]int{3, 1}, 1, []bool{true, false}},
	} {
		var gt []evaluate.GroundTruth
		for i, n := range c.objects {
			for k := range n {
				gt = append(gt, evaluate.Truth(i, k%2, evaluate.Box{X: float64(20 * k), W: 10, H: 10}))
			}
			crowd := evaluate.Truth(i, 0, evaluate.Box{W: 10, H: 10})
			crowd.Crowd = true // which does not count
			gt = append(gt, crowd)
		}
		m := evaluate.Match(gt, nil, len(c.objects), names(2))
		if !slices.Equal(m.Objects(), c.objects) || !slices.Equal(m.Dense(c.q), c.want) {
			t.Errorf("%v at %v: objects %v, dense %v", c.objects, c.q, m.Objects(), m.Dense(c.q))
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	gt, dt := crowded(3, 12)
	good := encoded(t, evaluate.Match(gt, dt, 12, names(4)))
	for n := range good {
		if _, err := evaluate.DecodeMatches(good[:n]); !errors.Is(err, evaluate.ErrNoMatches) {
			t.Fatalf("the first %d of %d bytes: %v", n, len(good), err)
		}
	}
	newer := slices.Clone(good)
	newer[7] = '2'
	for name, data := range map[string][]byte{"more": append(slices.Clone(good), 0), "newer": newer, "text": []byte("not matches at all, but long enough")} {
		if _, err := evaluate.DecodeMatches(data); !errors.Is(err, evaluate.ErrNoMatches) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (&evaluate.Matches{Pictures: "zz"}).Encode(); err == nil {
		t.Error("a hash that is none is encoded")
	}
}

// What is decoded can be scored, whatever it is, and encodes to what decodes to the same.
func FuzzDecodeMatches(f *testing.F) {
	for seed := range uint64(4) {
		gt, dt := crowded(seed, 3+int(seed))
		f.Add(encoded(f, evaluate.Match(gt, dt, 3+int(seed), names(4))))
	}
	f.Add([]byte("msmatch1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := evaluate.DecodeMatches(data)
		if err != nil {
			return
		}
		if n := 0; m.Images > 1<<12 || slices.ContainsFunc(m.Objects(), func(k int) bool { n += k; return n > 1<<16 }) {
			return // scoring makes lists that long
		}
		again, err := evaluate.DecodeMatches(encoded(t, m))
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%v, or not the same", err)
		}
		for _, v := range m.Score(evaluate.Subset{Images: m.Dense(.8)}).List() {
			if v != evaluate.Undefined && !(v >= 0 && v <= 1) {
				t.Fatalf("a score of %v", v)
			}
		}
		counts := make([]int, m.Images)
		for i := range counts {
			counts[i] = i % 4
		}
		m.Resample(counts, evaluate.Subset{})
	})
}

// TestMatchesSize keeps the artifact small: bytes after gzip for 192 images with 100 detections each.
func TestMatchesSize(t *testing.T) {
	gt, dt := epoch(192, 100)
	m := evaluate.Match(gt, dt, 192, names(5))
	data := encoded(t, m)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d detections kept of %d: %d bytes, %d after gzip", m.Detections(), len(dt), len(data), b.Len())
	if b.Len() > 3*len(dt) {
		t.Errorf("%d bytes for %d detections", b.Len(), len(dt))
	}
}
