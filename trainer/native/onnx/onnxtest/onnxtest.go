// Package onnxtest runs files of ONNX elsewhere, in onnxruntime, and reads what comes out, for tests that compare.
package onnxtest

import (
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

//go:embed run.py
var program string

// Run checks a file with onnx.checker and runs it in onnxruntime on images, [N][3][H][W]. It returns the words about the
// model and the output. Without a Python that has both the test is skipped.
func Run(t testing.TB, path string, images []float32) (meta map[string]string, output []float32) {
	t.Helper()
	interpreter := os.Getenv("MAPSWEEP_TORCH_PYTHON")
	if interpreter == "" {
		t.Skip(`needs onnxruntime: eval "$(.ci/torch.sh)" sets MAPSWEEP_TORCH_PYTHON`)
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	var raw []byte
	for _, v := range images {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	if err := os.WriteFile(in, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(interpreter, "-c", program, path, in, out)
	text, err := c.Output()
	if err != nil {
		t.Fatal(fmt.Errorf("%w: %s", err, stderr(err)))
	}
	if err := json.Unmarshal(text, &meta); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if raw, err = os.ReadFile(out); err != nil {
		t.Fatal(err)
	}
	for ; len(raw) > 0; raw = raw[4:] {
		output = append(output, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
	}
	return meta, output
}

func stderr(err error) string {
	if e, ok := err.(*exec.ExitError); ok {
		return string(e.Stderr)
	}
	return ""
}

// Candidates are those of one image of an output, [4+classes][anchors], with a score above least: corners clipped to
// width x height pixels, in the order of anchors and classes.
func Candidates(output []float32, classes, anchors int, width, height, least float32) (all []evaluate.Candidate) {
	at := func(row, a int) float32 { return output[row*anchors+a] }
	for a := range anchors {
		for k := range classes {
			if s := at(4+k, a); s > least {
				x, y, w, h := at(0, a), at(1, a), at(2, a)/2, at(3, a)/2
				all = append(all, evaluate.Candidate{Class: k, Score: s, X0: min(max(x-w, 0), width), Y0: min(max(y-h, 0), height),
					X1: min(max(x+w, 0), width), Y1: min(max(y+h, 0), height)})
			}
		}
	}
	return all
}

// Differences are the largest between two lists of detections of one image, which must be of the same classes and as
// many: of corners in pixels, and of scores, relative. The order of detections whose scores are all but equal is free.
func Differences(t testing.TB, got, want []evaluate.Candidate) (box, score float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d detections, want %d", len(got), len(want))
		return 0, 0
	}
	used := make([]bool, len(got))
	for _, w := range want {
		best, b, s := -1, 0.0, 0.0
		for i, g := range got {
			d := max(math.Abs(float64(g.X0-w.X0)), math.Abs(float64(g.Y0-w.Y0)), math.Abs(float64(g.X1-w.X1)), math.Abs(float64(g.Y1-w.Y1)))
			if !used[i] && g.Class == w.Class && (best < 0 || d < b) {
				best, b, s = i, d, math.Abs(float64(g.Score)/float64(w.Score)-1)
			}
		}
		if best < 0 {
			t.Errorf("no detection of class %d as %v", w.Class, w)
			continue
		}
		used[best] = true
		box, score = max(box, b), max(score, s)
	}
	return box, score
}
