package native

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/fold"
	"github.com/mapsweep/mapsweep/trainer/native/layers/gpu"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// gpuDetector is a detector's part on a GPU: an engine that scores and has nothing that training alone needs. Any goroutine
// may run it.
type gpuDetector struct {
	mu sync.Mutex // held while a batch is under way
	e  *gpuEngine

	words string // the device
	note  string // how its arithmetic is not that of the run that the weights are of, or ""
}

// foundBatch is what was found in a batch of images.
type foundBatch struct {
	lists [][]evaluate.Candidate // by evaluate.DefaultNMS
	heads loss.Heads             // the outputs, where they were asked for
}

// openGPUDetector builds the network of a file, with its tensors, on the GPU that choose names.
func openGPUDetector(h header, tensors map[string][]float32, choose func(bytes int64) (GPU, error)) (*gpuDetector, error) {
	c, err := h.scoring(tensors)
	if err != nil {
		return nil, err
	}
	d := &gpuDetector{e: &gpuEngine{gpuKit: &gpuKit{}, threads: 1, size: c.Width, candidates: mostCandidates}}
	need, err := d.e.scoringNeed(c, h.Choice)
	if err != nil {
		return nil, err
	}
	if d.e.on, err = choose(need); err != nil {
		return nil, err
	}
	if err := d.open(h, c, need, tensors); err != nil {
		return nil, errors.Join(fmt.Errorf("compute on %s: %w", d.e.on.Name, err), d.close())
	}
	return d, nil
}

// scoring describes the network with which a run on a GPU scores, without a way back.
func (h header) scoring(tensors map[string][]float32) (model.Config, error) {
	c := model.Config{Classes: len(h.Classes), Width: h.Size, Height: h.Size, Batch: cmp.Or(h.Batch, defaultBatch), Evaluate: true,
		BF16: h.Precision == BF16 && h.Device != ""} // on the CPU all of scoring is float32
	var err error
	if c.File, err = h.architecture(); err != nil {
		return c, err
	}
	weight := 1.0
	m, err := c.File.Resolve(spec.Options{Classes: c.Classes})
	if err == nil && m.Head.Dual {
		m, err = c.File.Resolve(spec.Options{Classes: c.Classes, Weight: &weight})
	}
	if err != nil {
		return c, err
	}
	for name := range auxiliaryNames(m) {
		_, c.Aux = tensors[name]
		break // it has all of them, or none
	}
	return c, nil
}

// scoringNeed is the device memory that scoring with a network takes.
func (e *gpuEngine) scoringNeed(c model.Config, choice *convolutions) (int64, error) {
	place, count := gpu.Count()
	n, err := buildOnGPU(engineConfig{model: c}, place)
	if err != nil {
		return 0, err
	}
	defer n.Close()
	d := n.Device().(gpuDevice)
	main, _ := n.Heads()
	if _, _, err := d.Gather(main); err != nil {
		return 0, err
	}
	if choice != nil && choice.Library != "" {
		if err := d.LendToCuDNN(); err != nil {
			return 0, err
		}
	}
	for _, bytes := range e.scoreBytes(n.Config(), headsOf(n)).all() {
		if _, err := count.Alloc(bytes); err != nil {
			return 0, err
		}
	}
	return count.Bytes, nil
}

// open takes the memory, brings the weights over, and captures the scoring of a batch.
func (d *gpuDetector) open(h header, c model.Config, need int64, tensors map[string][]float32) (err error) {
	e := d.e
	if e.share, err = cuda.Acquire(context.Background(), e.on.Index, kernel.Image()); err != nil {
		return err
	}
	if e.part, err = e.share.TryReserve(need); err != nil {
		return err
	}
	e.place = gpu.Place{GPU: e.share.GPU, Module: e.share.Module, Memory: e.part}
	if e.place.Stream, err = e.share.GPU.NewStream(); err != nil {
		return err
	}
	if e.net, err = buildOnGPU(engineConfig{model: c}, e.place); err != nil {
		return err
	}
	if err := fill(e.net, tensors); err != nil {
		return err
	}
	on := device{gpu: &e.on}
	d.words = on.words()
	if !strings.HasSuffix(h.Device, on.arithmetic()) && h.Device != "" { // several GPUs of a kind score as one
		d.note = fmt.Sprintf("the checkpoint was made on device %q, and results on this one differ from those of its training by rounding", h.Device)
	}
	if err := d.choose(h.Choice); err != nil {
		return err
	}
	return e.openScores(nil)
}

// choose has convolutions computed as they were in the run, where they can be: in batches and sizes of images that are the run's.
func (d *gpuDetector) choose(made *convolutions) error {
	if made == nil || made.Library == "" {
		return nil
	}
	c := &choices{}
	l, why := c.open()
	if err := made.fits(d.e.on.Device.Name, l, why); err != nil {
		d.allOurs(err)
		return nil
	}
	d.e.choices = c
	_, err := d.e.choose(made)
	if errors.Is(err, gpu.ErrNotChosen) {
		d.allOurs(err)
		d.e.choices, d.e.chosen = nil, nil
		return nil
	}
	return err
}

// allOurs notes why the run's choice is of no use.
func (d *gpuDetector) allOurs(why error) {
	d.note = fmt.Sprintf("mapsweep's kernels compute all convolutions, and results differ from those of training by rounding: %v", why)
}

// fill gives a network its tensors by name. Those of an auxiliary branch may be missing.
func fill(n *model.Network, tensors map[string][]float32) error {
	auxiliary := auxiliaryNames(n.Model())
	for t := range n.NamedTensors() {
		v, ok := tensors[t.Name]
		if !ok && auxiliary[t.Name] {
			continue
		}
		if len(v) != t.Elements() {
			return fmt.Errorf("%s: %d values, %d are needed: %w", t.Name, len(v), t.Elements(), fold.ErrMissing)
		}
		arena := n.Weights()
		if t.Stat {
			arena = n.Stats()
		}
		if err := t.Set(arena, v); err != nil {
			return err
		}
	}
	return n.Device().Upload()
}

func (d *gpuDetector) batch() int { return d.e.net.Config().Batch }

// run computes a batch, and brings its outputs to f where they are asked for.
func (d *gpuDetector) run(images []dataset.Image, outputs bool, f *foundBatch) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, st := d.e.scores, d.e.place.Stream
	b := &s.batches[0]
	b.first, b.n = 0, len(images)
	if err := s.start(st, b, images); err != nil {
		return err
	}
	f.lists = f.lists[:0]
	err := s.finish(st, b, func(_ int, all []evaluate.Candidate) {
		f.lists = append(f.lists, append([]evaluate.Candidate(nil), all...))
	})
	if err != nil || !outputs {
		return err
	}
	h, err := s.device.Device.Outputs(s.heads, b.n)
	if err != nil {
		return err
	}
	f.heads.Box, f.heads.Class = append(f.heads.Box[:0], h.Box...), append(f.heads.Class[:0], h.Class...)
	h.Box, h.Class = f.heads.Box, f.heads.Class
	f.heads = h
	return nil
}

func (d *gpuDetector) close() error { return d.e.close(false) }
