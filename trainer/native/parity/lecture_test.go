//go:build integration

package parity_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/weights"
)

// lecture runs learn.py with the batches that our trainer makes with this seed, and returns what it said of each step.
func (c *classroom) lecture(t *testing.T, seed int64, args ...string) (steps [][]float64, err error) {
	cmd := python(t, "learn.py", args...)
	said := &strings.Builder{}
	cmd.Stderr = said
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	failed := make(chan error, 1)
	go func() {
		err := c.dictate(in, seed)
		in.Close()
		failed <- err
	}()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		v := make([]float64, 4)
		if _, err := fmt.Sscan(lines.Text(), &v[0], &v[1], &v[2], &v[3]); err != nil {
			return nil, fmt.Errorf("learn.py said %q: %w", lines.Text(), err)
		}
		steps = append(steps, v)
	}
	written := <-failed
	switch err := cmd.Wait(); {
	case err != nil:
		return nil, fmt.Errorf("learn.py: %w\n%s", err, said)
	case written != nil:
		return nil, written
	case len(steps) != c.steps*c.epochs:
		return nil, fmt.Errorf("learn.py made %d steps of %d", len(steps), c.steps*c.epochs)
	}
	return steps, nil
}

// dictate writes all batches of a run, as learn.py reads them.
func (c *classroom) dictate(w io.Writer, seed int64) error {
	a, err := augment.New(c.data.Train, c.size, augment.Settings{Mosaic: 1, MixUp: c.share("mixup"), CopyPaste: c.share("copy_paste"), HSV: 1})
	if err != nil {
		return err
	}
	sample, record := make([]float32, c.size*c.size*3), []byte{}
	for epoch := range c.epochs {
		order := augment.Order(seed, epoch, len(c.data.Train))
		for first := 0; first < c.steps*lessonBatch; first += lessonBatch {
			record = record[:0]
			var rows []float32
			for j := range lessonBatch {
				boxes, err := a.Sample(seed, epoch, first+j, order[first+j], sample)
				if err != nil {
					return err
				}
				record = appendFloats(record, sample)
				rows = appendRows(rows, j, boxes)
			}
			record = appendFloats(record, rows)
			if err := binary.Write(w, binary.LittleEndian, uint32(len(rows)/6)); err != nil {
				return err
			}
			if _, err := w.Write(record); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *classroom) share(name string) float64 {
	v, _ := c.params[name].(float64)
	return v
}

func appendFloats(record []byte, values []float32) []byte {
	for _, v := range values {
		record = binary.LittleEndian.AppendUint32(record, math.Float32bits(v))
	}
	return record
}

func appendRows(rows []float32, image int, boxes []dataset.Box) []float32 {
	for _, b := range boxes {
		rows = append(rows, float32(image), float32(b.Class), b.X0, b.Y0, b.X1, b.Y1)
	}
	return rows
}

// examine scores weights, ours or PyTorch's, on the validation pictures.
func (c *classroom) examine(set *weights.Set) (map[string]float64, error) {
	net, err := model.New(model.Config{Model: c.model, Classes: len(c.data.Classes), Width: c.size, Height: c.size, Batch: lessonBatch})
	if err != nil {
		return nil, err
	}
	defer net.Close()
	for x := range net.NamedTensors() {
		from, arena := set.Find(x.Name), net.Weights()
		if from == nil {
			return nil, fmt.Errorf("the trained weights have no %s", x.Name)
		}
		if x.Stat {
			arena = net.Stats()
		}
		if err := x.Set(arena, from.Values); err != nil {
			return nil, err
		}
	}
	var found []evaluate.Detection
	for first := 0; first < len(c.data.Val); first += lessonBatch {
		batch := c.data.Val[first:min(first+lessonBatch, len(c.data.Val))]
		var pixels []float32
		for _, m := range batch {
			for _, v := range m.Pix {
				pixels = append(pixels, float32(v)/255)
			}
		}
		if err := net.SetImages(pixels); err != nil {
			return nil, err
		}
		if err := net.Eval(); err != nil {
			return nil, err
		}
		for j := range batch {
			found = append(found, detections(net.HeadOutputs(), j, first+j, float64(c.size))...)
		}
	}
	r := evaluate.COCO(native.Truths(c.data.Val), found, len(c.data.Val), len(c.data.Classes))
	return map[string]float64{"mAP50-95": r.AP, "mAP50": r.AP50, "mAP75": r.AP75, "AR100": r.AR100}, nil
}

// detections are what a head finds in image n of the batch, image number image of the split.
func detections(h loss.Heads, n, image int, size float64) (all []evaluate.Detection) {
	o, scratch := evaluate.DefaultNMS, make([]float64, h.R)
	within := func(v float64) float32 { return float32(min(max(v, 0), size)) }
	var some []evaluate.Candidate
	for a := range h.A {
		b := loss.Decode(h, n, a, scratch)
		for k, z := range h.Class[(n*h.A+a)*h.K : (n*h.A+a+1)*h.K] {
			some = append(some, evaluate.Candidate{Class: k, Score: float32(1 / (1 + math.Exp(-float64(z)))), X0: within(b.X0), Y0: within(b.Y0), X1: within(b.X1), Y1: within(b.Y1)})
		}
	}
	for _, c := range evaluate.NMS(some, o) {
		all = append(all, evaluate.Detection{Image: image, Class: c.Class, Score: float64(c.Score),
			Box: evaluate.Corners(float64(c.X0), float64(c.Y0), float64(c.X1), float64(c.Y1))})
	}
	return all
}
