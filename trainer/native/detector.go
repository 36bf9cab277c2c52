package native

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native/fold"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
)

// Detector is a trained network that finds objects. On the CPU it has the form of inference (model.Inference): what it
// computes differs from what training scores with by rounding alone. On a GPU it is the network that training scores with, in
// the checkpoint's precision, with batches of as many images: on a GPU of one kind it finds the same, to the bit. A Detector
// belongs to one goroutine; several may run side by side, copies of one with the same weights.
type Detector struct {
	Path    string // of the checkpoint, or of the file of weights
	Model   string
	Classes []string
	Named   bool   // the classes have names; otherwise these are their numbers
	Size    int    // pixels a side of the images that it takes
	Epoch   int    // epochs that the checkpoint had finished; 0: the file does not say
	Average bool   // the weights are the moving average of those that were trained, which training scores with
	Device  string // that it computes on, in words
	Note    string // how what it computes differs from training's scores, or ""

	net     *model.Inference // nil: on a GPU
	gpu     *gpuDetector     // nil: on the CPU
	copied  bool             // the GPU's part is another's
	found   foundBatch       // on a GPU
	images  []float32        // a batch
	decoder decoder
	level   [256]float32
}

// OpenDetector reads a checkpoint, or the best one of a trial's directory, else its last, or a file of safetensors or a
// checkpoint of PyTorch. Close frees its memory.
func OpenDetector(path string, o DetectorOptions) (*Detector, error) {
	path, err := checkpointAt(path)
	if err != nil {
		return nil, err
	}
	ours, err := isCheckpoint(path)
	if err != nil {
		return nil, fmt.Errorf("open checkpoint: %w", err)
	}
	if !ours {
		h, part, tensors, named, err := readForeign(path, o)
		if err != nil {
			return nil, fmt.Errorf("open weights %s: %w", path, err)
		}
		d, err := newDetector(path, h, part, tensors, o)
		if err != nil {
			return nil, fmt.Errorf("open weights %s: %w", path, o.ofSize(err))
		}
		d.Named = named
		return d, nil
	}
	if err := o.none(); err != nil {
		return nil, fmt.Errorf("open checkpoint %s: %w", path, err)
	}
	h, part, tensors, err := readScored(path)
	if err != nil {
		return nil, err
	}
	if o.Size != 0 {
		h.Size = o.Size
	}
	d, err := newDetector(path, h, part, tensors, o)
	if errors.Is(err, fold.ErrMissing) {
		err = fmt.Errorf("%w: %w", err, errNotCheckpoint)
	}
	if err != nil {
		return nil, fmt.Errorf("open checkpoint %s: %w", path, o.ofSize(err))
	}
	d.Named = true
	return d, nil
}

// newDetector builds the network for images of the header's size.
func newDetector(path string, h header, part string, tensors map[string][]float32, o DetectorOptions) (*Detector, error) {
	m, err := h.inference()
	if err != nil {
		return nil, err
	}
	if err := checkSize(h.Model, h.Size, m.Multiple()); err != nil {
		return nil, err
	}
	d := &Detector{Path: path, Model: h.Model, Classes: h.Classes, Size: h.Size, Epoch: h.Epoch, Average: part == partAverage, Device: CPU}
	if o.GPU != nil {
		if d.gpu, err = openGPUDetector(h, tensors, o.GPU); err != nil {
			return nil, err
		}
		d.Device, d.Note = d.gpu.words, d.gpu.note
		return d, nil
	}
	if d.net, err = model.NewInference(m, h.Size, h.Size, 0, fold.Tensors{Named: tensors, Labels: m.Labels}); err != nil {
		return nil, err
	}
	d.prepare()
	return d, nil
}

// prepare makes buffers of its own.
func (d *Detector) prepare() {
	d.images = make([]float32, d.net.Batch()*d.Size*d.Size*3)
	d.level = levels()
}

// UseThreads makes so many threads share its work, the calling one included, without changing what it finds. It has one at
// first.
func (d *Detector) UseThreads(threads int) error {
	if d.gpu != nil {
		return nil // the host has nothing to share out
	}
	return d.net.UseThreads(threads)
}

// Batch is how many images it computes at a time.
func (d *Detector) Batch() int {
	if d.gpu != nil {
		return d.gpu.batch()
	}
	return d.net.Batch()
}

// Copy returns a detector with the same weights and as many threads, for another goroutine, also while d runs. Close it before d.
// On a GPU the two compute in turn, and what is done on the host is done at the same time.
func (d *Detector) Copy() (*Detector, error) {
	c := &Detector{Path: d.Path, Model: d.Model, Classes: d.Classes, Named: d.Named, Size: d.Size, Epoch: d.Epoch, Average: d.Average,
		Device: d.Device, Note: d.Note, gpu: d.gpu, copied: true}
	if d.gpu != nil {
		return c, nil
	}
	var err error
	if c.net, err = d.net.Copy(); err != nil {
		return nil, fmt.Errorf("copy detector: %w", err)
	}
	c.prepare()
	return c, nil
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

// Detect runs images of Size x Size pixels through the network, and calls take with each one's place in the list and
// its candidates of a score above least or just below it, before suppression. The list belongs to take until it
// returns. The result for an image does not depend on the others.
func (d *Detector) Detect(ctx context.Context, images []dataset.Image, least float32, take func(i int, c []evaluate.Candidate)) error {
	return d.each(ctx, images, true, func(first, n int, h loss.Heads) {
		for j := range n {
			take(first+j, d.decoder.candidates(h, j, float64(d.Size), least))
		}
	})
}

// Find is Detect with suppression, once for each of the limits: take gets each image's place in the list, that of the limits,
// and what is found. By evaluate.DefaultNMS that is what training scores.
func (d *Detector) Find(ctx context.Context, images []dataset.Image, limits []evaluate.NMSOptions, take func(i, limit int, found []evaluate.Candidate)) error {
	least, others := float32(math.Inf(1)), false
	for _, o := range limits {
		if d.gpu == nil || o != evaluate.DefaultNMS {
			least, others = min(least, o.Score), true
		}
	}
	return d.each(ctx, images, others, func(first, n int, h loss.Heads) {
		for j := range n {
			var all []evaluate.Candidate
			if others {
				all = d.decoder.candidates(h, j, float64(d.Size), least)
			}
			for l, o := range limits {
				if d.gpu != nil && o == evaluate.DefaultNMS {
					take(first+j, l, d.found.lists[j])
				} else {
					take(first+j, l, evaluate.NMS(slices.Clone(all), o))
				}
			}
		}
	})
}

// each runs images through the network, a batch at a time, and hands over the place of its first one, their number, and,
// where they are asked for, the outputs.
func (d *Detector) each(ctx context.Context, images []dataset.Image, outputs bool, take func(first, n int, h loss.Heads)) error {
	one, most := d.Size*d.Size*3, d.Batch()
	for first := 0; first < len(images); first += most {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		batch := images[first:min(first+most, len(images))]
		for j := range batch {
			if len(batch[j].Pix) != one {
				return fmt.Errorf("detect objects: image %d is %d x %d pixels: %d x %d are needed", first+j, batch[j].W, batch[j].H, d.Size, d.Size)
			}
		}
		h, err := d.run(batch, outputs)
		if err != nil {
			return err
		}
		take(first, len(batch), h)
	}
	return nil
}

// run computes a batch.
func (d *Detector) run(batch []dataset.Image, outputs bool) (loss.Heads, error) {
	if d.gpu != nil {
		err := d.gpu.run(batch, outputs, &d.found)
		return d.found.heads, err
	}
	one := d.Size * d.Size * 3
	for j := range batch {
		pix := d.images[j*one : (j+1)*one]
		for i, v := range batch[j].Pix {
			pix[i] = d.level[v]
		}
	}
	if err := d.net.SetImages(d.images[:len(batch)*one]); err != nil {
		return loss.Heads{}, err
	}
	return d.net.Run()
}

// Close frees the memory. The detector must not be used any more.
func (d *Detector) Close() error {
	if d.gpu != nil {
		if d.copied {
			return nil
		}
		return d.gpu.close()
	}
	d.net.Close()
	return nil
}
