//go:build peers

package evaluate_test

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

// Size of the case: that of COCO's validation set, with 100 detections in every image.
const (
	peerImages  = 5000
	peerClasses = 80
	peerRounds  = 3
)

// TestCOCOPeers prints what scoring 5,000 images x 80 classes x 100 detections takes with pycocotools, with
// faster-coco-eval and here, in turns, and asserts that the numbers are the same. MAPSWEEP_PEERS_PYTHON names a Python
// with pycocotools 2.0.11 and faster-coco-eval 1.8.0 (.ci/peers.sh).
func TestCOCOPeers(t *testing.T) {
	python := os.Getenv("MAPSWEEP_PEERS_PYTHON")
	if python == "" {
		t.Skip("MAPSWEEP_PEERS_PYTHON names no Python with the peers: eval \"$(.ci/peers.sh)\"")
	}
	gt, dt := large(peerImages, peerClasses)
	p := startPeer(t, python, gt, dt)
	took := map[string][]float64{}
	names := []string{"pycocotools", "faster-coco-eval", "mapsweep, 1 thread", "mapsweep, 2 threads"}
	for range peerRounds {
		var ours *evaluate.Result
		for i, name := range names[2:] {
			start := time.Now()
			ours = evaluate.COCOParallel(gt, dt, peerImages, peerClasses, i+1)
			took[name] = append(took[name], time.Since(start).Seconds())
		}
		for _, name := range names[:2] {
			a := p.score(t, name)
			took[name] = append(took[name], a.Seconds)
			agree(t, name, a, ours)
		}
	}
	fmt.Printf("\n%d images, %d classes, %d objects, %d detections; medians of %d rounds\n\n", peerImages, peerClasses, len(gt), len(dt), peerRounds)
	fmt.Printf("%-22s %9s %24s\n", "", "seconds", "pycocotools' time / its")
	base := middle(took[names[0]])
	for _, name := range names {
		fmt.Printf("%-22s %9.3f %24.1f\n", name, middle(took[name]), base/middle(took[name]))
	}
	if r := base / middle(took[names[2]]); r < 10 {
		t.Errorf("%.1f times as fast as pycocotools on one thread: want 10", r)
	}
}

func middle(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// large makes a validation like COCO's: 7 objects an image, small, medium and large, one in a hundred a crowd.
func large(images, classes int) (gt []evaluate.GroundTruth, dt []evaluate.Detection) {
	r := rand.New(rand.NewPCG(20, 7))
	for i := range images {
		var own []evaluate.GroundTruth
		for range 1 + r.IntN(13) {
			w, h := math.Exp(2.5+3*r.Float64()), math.Exp(2.5+3*r.Float64())
			g := evaluate.Truth(i, r.IntN(classes), evaluate.Box{X: r.Float64() * (640 - w), Y: r.Float64() * (480 - h), W: w, H: h})
			g.Area *= .5 + .5*r.Float64()
			g.Crowd = r.IntN(100) == 0
			own = append(own, g)
		}
		gt = append(gt, own...)
		for range 100 {
			g := own[r.IntN(len(own))]
			d := evaluate.Detection{Image: i, Class: g.Class, Score: math.Round(r.Float64()*1e5) / 1e5} // some are equal
			d.Box = evaluate.Box{X: g.Box.X + .1*g.Box.W*r.NormFloat64(), Y: g.Box.Y + .1*g.Box.H*r.NormFloat64(), W: g.Box.W * (.7 + .6*r.Float64()), H: g.Box.H * (.7 + .6*r.Float64())}
			if r.IntN(3) > 0 {
				d.Class = r.IntN(classes)
			}
			dt = append(dt, d)
		}
	}
	return gt, dt
}

// peer is the Python program that scores the case on demand.
type peer struct {
	ask    io.Writer
	answer *bufio.Scanner
}

type peerAnswer struct {
	Seconds float64
	Stats   [12]float64
	Classes []float64
}

func startPeer(t *testing.T, python string, gt []evaluate.GroundTruth, dt []evaluate.Detection) *peer {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "gt.json"), annotations(gt), 0o666); err != nil {
		t.Fatal(err)
	}
	var rows []byte
	for _, d := range dt {
		for _, v := range []float64{float64(d.Image + 1), d.Box.X, d.Box.Y, d.Box.W, d.Box.H, d.Score, float64(d.Class + 1)} {
			rows = binary.LittleEndian.AppendUint64(rows, math.Float64bits(v))
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "dt.f64"), rows, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "testdata/peer.py", dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	p := &peer{in, bufio.NewScanner(out)}
	p.answer.Buffer(nil, 1<<24)
	return p
}

func (p *peer) score(t *testing.T, name string) (a peerAnswer) {
	t.Helper()
	fmt.Fprintln(p.ask, name)
	if !p.answer.Scan() {
		t.Fatalf("%s gave no answer: %v", name, p.answer.Err())
	}
	if err := json.Unmarshal(p.answer.Bytes(), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// annotations are COCO's instances file; ids begin at 1.
func annotations(gt []evaluate.GroundTruth) []byte {
	var b strings.Builder
	list := func(name string, n int, item func(i int)) {
		fmt.Fprintf(&b, "%q: [", name)
		for i := range n {
			if i > 0 {
				b.WriteString(", ")
			}
			item(i)
		}
		b.WriteString("]")
	}
	b.WriteString("{")
	list("images", peerImages, func(i int) { fmt.Fprintf(&b, `{"id": %d, "width": 640, "height": 480}`, i+1) })
	b.WriteString(", ")
	list("categories", peerClasses, func(i int) { fmt.Fprintf(&b, `{"id": %d, "name": "class %d"}`, i+1, i) })
	b.WriteString(", ")
	list("annotations", len(gt), func(i int) {
		g, crowd := gt[i], 0
		if g.Crowd {
			crowd = 1
		}
		fmt.Fprintf(&b, `{"id": %d, "image_id": %d, "category_id": %d, "bbox": [%v, %v, %v, %v], "area": %v, "iscrowd": %d}`,
			i+1, g.Image+1, g.Class+1, g.Box.X, g.Box.Y, g.Box.W, g.Box.H, g.Area, crowd)
	})
	b.WriteString("}")
	return []byte(b.String())
}

// agree asserts that a peer's twelve numbers and each class's average precision are ours to 1e-9.
func agree(t *testing.T, name string, a peerAnswer, ours *evaluate.Result) {
	t.Helper()
	for i, v := range ours.List() {
		if !(math.Abs(v-a.Stats[i]) <= 1e-9) {
			t.Errorf("number %d: %v, %s has %v", i, v, name, a.Stats[i])
		}
	}
	if len(a.Classes) != len(ours.PerClass) {
		t.Fatalf("%d classes, %s has %d", len(ours.PerClass), name, len(a.Classes))
	}
	for k, s := range ours.PerClass {
		if !(math.Abs(s.AP-a.Classes[k]) <= 1e-9) {
			t.Errorf("class %d: AP %v, %s has %v", k, s.AP, name, a.Classes[k])
		}
	}
}
