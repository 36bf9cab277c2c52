package native

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trials"
)

// Trace runs the first steps of each job and says what they did; a job that cannot be run has Trace.Failed. This
// trainer has no other form than the one here, so Bare changes nothing. Files go to a folder of its own and are removed.
func (b *Backend) Trace(ctx context.Context, jobs []trainer.Job, opts trainer.TraceOptions) ([]trainer.Trace, error) {
	back := b.shelf.keep() // the jobs have the same pictures
	all, err := b.traces(ctx, jobs, opts.Steps)
	return all, errors.Join(err, back())
}

func (b *Backend) traces(ctx context.Context, jobs []trainer.Job, steps int) ([]trainer.Trace, error) {
	all := make([]trainer.Trace, 0, len(jobs))
	for _, job := range jobs {
		t, err := b.trace(ctx, job, steps)
		var f *trainer.Failure
		if errors.As(err, &f) && f.Class != trials.ClassDevice { // a GPU that is lost says nothing of a job
			t, err = trainer.Trace{Failed: f.Reason}, nil
		}
		if err != nil {
			return nil, fmt.Errorf("trace %s: %w", job.Params.Key(), err)
		}
		all = append(all, t)
	}
	return all, nil
}

func (b *Backend) trace(ctx context.Context, job trainer.Job, steps int) (trainer.Trace, error) {
	dir, err := os.MkdirTemp("", "mapsweep-trace-")
	if err != nil {
		return trainer.Trace{}, fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(dir)
	job.Dir, job.Resume, job.Progress = dir, "", nil
	r, err := b.newRun(ctx, job)
	if err != nil {
		return trainer.Trace{}, err
	}
	defer r.close()
	if err := r.hold(ctx); err != nil {
		return trainer.Trace{}, r.device.failure(err)
	}
	t := trainer.Trace{Effective: r.effective, Unjudged: map[string]string{}}
	largest := 0.0
	for n := range max(1, steps) {
		if ctx.Err() != nil {
			return t, context.Cause(ctx)
		}
		s, norm, err := r.traceStep(ctx, n)
		if err != nil {
			return t, err
		}
		t.Steps = append(t.Steps, s)
		largest = max(largest, norm)
	}
	if t.End, err = r.traceEnd(ctx); err != nil {
		return t, err
	}
	r.unjudged(t.Unjudged, largest)
	r.sound = true
	return t, nil
}

// traceEnd composes the first batch of the last epoch, and says what rates its last step will have.
func (r *run) traceEnd(ctx context.Context) (*trainer.Step, error) {
	s := trainer.Step{Hashes: map[string]string{}, Values: map[string][]float64{}}
	if err := r.compose(ctx, s, max(0, r.job.Epochs-1)*r.steps); err != nil {
		return nil, err
	}
	r.putRates(s, max(0, r.pace.Schedule.Steps-1))
	return &s, nil
}

// compose makes the batch of a step, counted over the whole run, and puts it into s as its input: pictures as the step learns
// from them, wherever they are made.
func (r *run) compose(ctx context.Context, s trainer.Step, step int) error {
	if err := r.only(ctx, step); err != nil {
		return err
	}
	images, err := r.engine.pictures(r.batch)
	if err != nil {
		return err
	}
	truths := r.batch.truths
	boxes := make([]float32, 0, 6*len(truths))
	for _, t := range truths {
		boxes = append(boxes, float32(t.Image), float32(t.Class), t.X0, t.Y0, t.X1, t.Y1)
	}
	put(s, trainer.ChannelInput, []float64{kernels.SumSquares(images), kernels.SumSquares(boxes), float64(len(truths))}, images, boxes)
	return nil
}

// traceStep runs step n, counted from 0.
func (r *run) traceStep(ctx context.Context, n int) (trainer.Step, float64, error) {
	s := trainer.Step{Hashes: map[string]string{}, Values: map[string][]float64{}}
	if err := r.compose(ctx, s, n); err != nil {
		return s, 0, err
	}
	r.putRates(s, r.pace.Step)
	if err := r.submit(); err != nil {
		return s, 0, err
	}
	results, err := r.engine.results(true)
	if err != nil {
		return s, 0, err
	}
	v := results[0]
	if why := v.notFinite(); why != "" {
		return s, 0, r.diverged(why, v)
	}
	put(s, trainer.ChannelLoss, []float64{v.loss, v.parts.Box, v.parts.Class, v.parts.DFL})
	put(s, trainer.ChannelGradient, []float64{v.norm})
	state, err := r.engine.state()
	if err != nil {
		return s, 0, err
	}
	for _, a := range state {
		switch a.part {
		case partWeights:
			put(s, trainer.ChannelWeights, []float64{kernels.SumSquares(a.weights)}, a.weights)
		case partAverage:
			put(s, trainer.ChannelAverage, []float64{kernels.SumSquares(a.weights)}, a.weights, a.stats)
		}
	}
	return s, v.norm, nil
}

func (r *run) putRates(s trainer.Step, step int) {
	rates := r.pace.Schedule.At(step)
	put(s, trainer.ChannelRate, []float64{rates.Weights, rates.Bias, rates.Momentum})
}

// unjudged names knobs about which steps with gradients of at most that norm say nothing.
func (r *run) unjudged(where map[string]string, norm float64) {
	where["close_mosaic"] = "acts in the last epochs, of which the first batch of the last one is looked at"
	where["patience"], where["patience_metric"] = "acts when training ends", "acts when training ends"
	where["val_interval"] = "acts when an epoch ends"
	if r.set.multiScale > 0 && !r.resized(r.pace.Step) {
		where["multi_scale"] = "drew the images' own size for these steps"
	}
	if r.pace.Sums && r.pace.Updates == r.pace.Step {
		where["nominal_batch"] = "sums gradients once warm-up has brought it to two batches, after these steps"
	}
	if !outlined(r.data.Train) {
		where["copy_paste_polygons"] = "acts on objects that are labelled with polygons, and the training images have none"
	}
	if limit := r.set.clipNorm; limit == 0 || norm <= limit {
		where["clip_norm"] = fmt.Sprintf("acts on gradients with a larger norm than it; in these steps the norm was at most %.3g", norm)
	}
}

// outlined says whether any object has an outline.
func outlined(images []dataset.Image) bool {
	return slices.ContainsFunc(images, func(m dataset.Image) bool { return len(m.Outlines) > 0 })
}

// put stores one channel: the numbers themselves, and a checksum over them and the tensors behind them.
func put(s trainer.Step, channel string, values []float64, tensors ...[]float32) {
	h := sha256.New()
	var word [8]byte
	for _, v := range values {
		binary.LittleEndian.PutUint64(word[:], math.Float64bits(v))
		h.Write(word[:])
	}
	block := make([]byte, 0, 1<<14)
	for _, t := range tensors {
		for len(t) > 0 {
			n := min(len(t), 1<<12)
			block = block[:0]
			for _, v := range t[:n] {
				block = binary.LittleEndian.AppendUint32(block, math.Float32bits(v))
			}
			h.Write(block)
			t = t[n:]
		}
	}
	s.Values[channel], s.Hashes[channel] = values, hex.EncodeToString(h.Sum(nil))
}
