package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native/model"
)

// detectBatch is how many images a Detector runs through its network at a time.
const detectBatch = 8

// Detector is a trained network that finds objects. It belongs to one goroutine; several may run side by side.
type Detector struct {
	Path    string // of the checkpoint
	Model   string
	Classes []string
	Size    int  // pixels a side of the images that it takes
	Epoch   int  // epochs that the checkpoint had finished
	Average bool // the weights are the moving average of those that were trained, which training scores with

	net     *model.Network
	images  []float32 // a batch
	decoder decoder
	level   [256]float32
}

// OpenDetector reads a checkpoint, or the best one of a trial's directory, else its last. size is the side of the
// images in pixels; 0: that of training. Close frees its memory.
func OpenDetector(path string, size int) (*Detector, error) {
	path, err := checkpointAt(path)
	if err != nil {
		return nil, err
	}
	h, part, named, err := readScored(path)
	if err != nil {
		return nil, err
	}
	file, err := h.architecture()
	if err != nil {
		return nil, fmt.Errorf("open checkpoint %s: it is of a model that this program does not know: %w", path, err)
	}
	if size == 0 {
		size = h.Size
	}
	d := &Detector{Path: path, Model: h.Model, Classes: h.Classes, Size: size, Epoch: h.Epoch, level: levels()}
	d.net, err = model.New(model.Config{File: file, Classes: len(h.Classes), Width: size, Height: size, Batch: detectBatch})
	if err != nil {
		return nil, fmt.Errorf("open checkpoint %s: %w", path, err)
	}
	d.images = make([]float32, detectBatch*size*size*3)
	if err := d.load(part, named); err != nil {
		return nil, errors.Join(fmt.Errorf("open checkpoint %s: %w", path, err), d.Close())
	}
	return d, nil
}

// checkpointAt is path itself, or the file in the directory path.
func checkpointAt(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("open checkpoint: %w", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	for _, name := range []string{bestName, lastName} {
		if p := filepath.Join(path, name); exists(p) {
			return p, nil
		}
	}
	return "", fmt.Errorf("open checkpoint: the folder %s has neither %s nor %s", path, bestName, lastName)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// load takes the network's tensors out of a checkpoint by their names; an auxiliary head stays behind.
func (d *Detector) load(part string, named map[string][]float32) error {
	d.Average = part == partAverage
	for t := range d.net.NamedTensors() {
		v, ok := named[t.Name]
		if !ok {
			return fmt.Errorf("it has no %s of %s: %w", part, t.Name, errNotCheckpoint)
		}
		arena := d.net.Weights()
		if t.Stat {
			arena = d.net.Stats()
		}
		if err := t.Set(arena, v); err != nil {
			return fmt.Errorf("%w: %w", err, errNotCheckpoint)
		}
	}
	return nil
}

// Detect runs images of Size x Size pixels through the network, and calls take with each one's place in the list and
// its candidates of a score above least or just below it, before suppression. The list belongs to take until it
// returns. The result for an image does not depend on the others.
func (d *Detector) Detect(ctx context.Context, images []dataset.Image, least float32, take func(i int, c []evaluate.Candidate)) error {
	one := d.Size * d.Size * 3
	for first := 0; first < len(images); first += detectBatch {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		batch := images[first:min(first+detectBatch, len(images))]
		for j := range batch {
			if len(batch[j].Pix) != one {
				return fmt.Errorf("detect objects: image %d is %d x %d pixels: %d x %d are needed", first+j, batch[j].W, batch[j].H, d.Size, d.Size)
			}
			pix := d.images[j*one : (j+1)*one]
			for i, v := range batch[j].Pix {
				pix[i] = d.level[v]
			}
		}
		if err := d.net.SetImages(d.images[:len(batch)*one]); err != nil {
			return err
		}
		if err := d.net.Eval(); err != nil {
			return err
		}
		h := d.net.HeadOutputs()
		for j := range batch {
			take(first+j, d.decoder.candidates(h, j, float64(d.Size), least))
		}
	}
	return nil
}

// Close frees the memory. The detector must not be used any more.
func (d *Detector) Close() error { return d.net.Close() }

// CheckDevice says whether this program can detect on a device: auto, "" or cpu; else trainer.ErrNoDevice.
func CheckDevice(name string) error { return checkDevice(name) }
