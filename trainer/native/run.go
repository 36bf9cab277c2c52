package native

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/dataset/batches"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
	"github.com/mapsweep/mapsweep/trials"
)

// progressEvery is the shortest time between two calls of Job.Progress.
const progressEvery = 100 * time.Millisecond

// run is one training run: everything in it belongs to one goroutine, but for the data,
// which is shared and only read.
type run struct {
	b         *Backend
	job       trainer.Job
	set       settings
	effective trials.Params
	data      *dataset.Dataset
	val       []dataset.Image // the split that is scored

	net      *model.Network // for images of the data set's size; see network
	sampler  *augment.Augmenter
	loader   *batches.Loader // of the training epochs
	schedule optim.Schedule
	solver   solver
	// average and averageStats follow Weights and Stats; spare and spareStats hold those aside
	// while the average is scored. Empty without ema.
	average, averageStats, spare, spareStats []float32

	images    []float32    // a batch: Batch x side x side x 3, with room for the largest side; nil until it is needed
	now       int          // its side
	truths    []loss.Truth // its objects, by image
	main, aux loss.Loss
	targets   *loss.Targets // of the main head in this step; nil: not there yet
	parts     loss.Parts    // of the main head at the last step, without gains

	steps  int // of an epoch, each with one batch
	step   int // done, of the whole run
	sums   loss.Parts
	curves []curve
	best   *best
	config string // hash of all that a checkpoint must share

	log      *trialLog
	scorer   *scorer
	from     string        // what came from trainer.weights, or ""
	note     string        // why the run ended before its last epoch, or ""
	last     time.Time     // of the last progress call
	finished time.Time     // of the last epoch
	took     time.Duration // of the last epoch
}

// build makes the network and the buffers, and restores a checkpoint if the job names one.
func (r *run) build() error {
	c := &r.b.cfg
	r.steps = len(r.data.Train) / c.Batch
	start, err := r.b.source()
	if err != nil {
		return err
	}
	r.config = r.fingerprint(start)
	cfg := model.Config{File: r.b.model.file, Classes: len(r.data.Classes), Width: r.data.Size, Height: r.data.Size, Batch: c.Batch,
		Largest: r.mostSide(), Seed: r.job.Seed, Threads: r.threads(), BF16: r.b.cfg.Precision == BF16, Direct: r.b.cfg.Convolution == Direct, Aux: r.set.aux > 0, Loss: r.mainLoss, AuxLoss: r.auxLoss}
	if least := augment.LeastSide(r.data.Size, r.b.model.multiple, r.set.multiScale); r.set.multiScale > 0 && c.Batch == 1 && least == r.b.model.multiple {
		return infeasible(fmt.Errorf("multi_scale %v: some batches are one picture of %d pixels, which leaves batch normalisation one value; raise batch or image_size",
			r.set.multiScale, least))
	}
	if r.net, err = model.New(cfg); err != nil {
		return err
	}
	if start != nil {
		if r.from, err = start.into(r.net, r.data.Classes); err != nil {
			return err
		}
	}
	if r.sampler, err = augment.New(r.data.Train, r.data.Size, r.set.sampling()); err != nil {
		return infeasible(err)
	}
	s := &r.set
	r.schedule = optim.Schedule{LR0: s.lr0, LRF: s.lrf, Shape: s.shape, Momentum: s.momentum,
		Warmup: max(s.warmupEpochs*float64(r.steps), float64(s.warmupFloor)), WarmupMomentum: s.warmupMomentum, WarmupBias: s.warmupBias,
		Steps: r.steps * r.job.Epochs}
	r.main.Method, r.main.Classes, r.main.Threads = s.method, s.classes, r.threads()
	r.aux.Method, r.aux.Classes, r.aux.Threads = s.method, s.classes, r.threads()
	r.set.average.Threads = r.threads()
	if r.solver, err = newSolver(r.net, s, c.Batch); err != nil {
		return infeasible(err)
	}
	r.allocate()
	r.scorer = newScorer(r.data, r.val)
	if r.job.Resume != "" {
		if err := r.restore(r.job.Resume); err != nil {
			return err
		}
		if err := r.adopt(filepath.Dir(r.job.Resume)); err != nil {
			return err
		}
	}
	r.log, err = r.openFiles()
	return err
}

// threads is the number of threads that share the work of a step.
func (r *run) threads() int {
	if n := r.b.cfg.Threads; n > 0 {
		return n
	}
	return max(1, r.job.Threads)
}

// allocate makes the arenas beside the network's own; they live until it is closed.
func (r *run) allocate() {
	if !r.set.ema {
		return
	}
	weights, stats := r.net.Weights(), r.net.Stats()
	r.average, r.averageStats = r.net.Alloc(len(weights)), r.net.Alloc(len(stats))
	copy(r.average, weights)
	copy(r.averageStats, stats)
	r.spare, r.spareStats = r.net.Alloc(len(weights)), r.net.Alloc(len(stats))
}

func (r *run) close() error {
	var errs []error
	if r.net != nil {
		errs = append(errs, r.net.Close())
	}
	if r.log != nil {
		errs = append(errs, r.log.close())
	}
	return errors.Join(errs...)
}

func (r *run) mainLoss(h loss.Heads, dBox, dClass []float32) (float64, error) {
	t, err := r.main.Assign(h, r.truths)
	if err != nil {
		return 0, err
	}
	r.targets = t
	r.parts, err = r.main.Evaluate(h, t, r.set.gains, 1, dBox, dClass)
	return r.set.gains.Total(r.parts), err
}

func (r *run) auxLoss(h loss.Heads, dBox, dClass []float32) (float64, error) {
	t, err := r.targets, error(nil)
	if !r.set.auxMain {
		t, err = r.aux.Assign(h, r.truths)
	}
	switch {
	case err != nil:
		return 0, err
	case t == nil:
		return 0, errors.New("the auxiliary head comes before the main one, whose targets it is to learn")
	}
	p, err := r.aux.Evaluate(h, t, r.set.gains, r.set.aux, dBox, dClass)
	return r.set.aux * r.set.gains.Total(p), err
}

// train runs the epochs that are left.
func (r *run) train(ctx context.Context, report func(trials.Measurement)) error {
	if err := r.startLoader(ctx); err != nil {
		return err
	}
	defer r.loader.Close()
	r.finished = time.Now()
	for epoch := len(r.curves); epoch < r.job.Epochs; epoch++ {
		if r.note = r.exhausted(); r.note != "" {
			return nil
		}
		saved := r.step
		var metrics map[string]float64
		err := r.epoch(ctx, epoch)
		if err == nil {
			metrics, err = r.measure(ctx, epoch)
		}
		if err != nil {
			if ctx.Err() != nil && r.step > saved {
				err = errors.Join(err, r.save(lastName))
			}
			return err
		}
		r.curves = append(r.curves, curve{Epoch: epoch + 1, Metrics: metrics})
		if epoch == 0 {
			r.warnUnassigned()
		}
		report(trials.Measurement{Epoch: epoch + 1, Metrics: r.costs(metrics), At: trials.Now()})
		r.sums = loss.Parts{}
		if err := r.keep(epoch, metrics); err != nil {
			return err
		}
	}
	return nil
}

// epoch runs the steps that are left of an epoch, counted from 0. The last images of the
// order that do not fill a batch are left out.
func (r *run) epoch(ctx context.Context, epoch int) error {
	for k := r.step - epoch*r.steps; k < r.steps; k++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := r.next(); err != nil {
			return err
		}
		value, err := r.update()
		if err != nil {
			return err
		}
		if why := r.notFinite(value); why != "" {
			return r.diverged(why, epoch, k)
		}
		r.sums.Box += r.parts.Box
		r.sums.Class += r.parts.Class
		r.sums.DFL += r.parts.DFL
		r.progress(epoch, k, value)
	}
	return nil
}

func (r *run) notFinite(v value) string {
	switch {
	case !finite(v.loss):
		return fmt.Sprintf("the loss became %v", v.loss)
	case !finite(v.norm):
		return fmt.Sprintf("the norm of the gradients became %v", v.norm)
	}
	return ""
}

// diverged is the failure of a run at step k of an epoch, both from 0.
func (r *run) diverged(why string, epoch, k int) error {
	f := &trainer.Failure{Class: trials.ClassDiverged,
		Reason: fmt.Sprintf("%s at epoch %d of %d, step %d of %d", why, epoch+1, r.job.Epochs, k+1, r.steps)}
	r.log.printf("failed: %s", f.Reason)
	f.LogTail = r.log.tail()
	return f
}

func (r *run) progress(epoch, k int, v value) {
	if r.job.Progress == nil || time.Since(r.last) < progressEvery {
		return
	}
	r.last = time.Now()
	r.job.Progress(trainer.Progress{Epoch: epoch + 1, Epochs: r.job.Epochs, Step: k + 1, Steps: r.steps, Loss: v.loss})
}

// measure makes the metrics of a finished epoch and writes its line.
func (r *run) measure(ctx context.Context, epoch int) (map[string]float64, error) {
	if sum := kernels.SumSquares(r.net.Weights()) + kernels.SumSquares(r.net.Stats()); !finite(sum) {
		return nil, r.diverged("weights stopped being finite", epoch, r.steps-1)
	}
	n := float64(r.steps)
	rates := r.schedule.At(r.step - 1)
	m := map[string]float64{
		"loss/box": r.sums.Box / n, "loss/cls": r.sums.Class / n, "loss/dfl": r.sums.DFL / n,
		"lr/weights": rates.Weights, "lr/bias": rates.Bias,
	}
	if (epoch+1)%r.valEvery() == 0 || epoch+1 == r.job.Epochs {
		if err := r.score(ctx, m); err != nil {
			return nil, err
		}
		r.scorer.epoch = epoch + 1
	}
	now := time.Now()
	r.took = now.Sub(r.finished)
	r.log.epoch(epoch+1, r.job.Epochs, m, r.took)
	r.finished = now
	return m, nil
}

// keep writes the files of a finished epoch.
func (r *run) keep(epoch int, metrics map[string]float64) error {
	if err := r.writeCurves(); err != nil {
		return err
	}
	if v, ok := metrics[r.b.cfg.BestMetric]; ok && (r.best == nil || r.b.cfg.better(v, r.best.Value)) {
		r.best = &best{Epoch: epoch + 1, Value: v}
		if err := r.save(bestName); err != nil {
			return err
		}
	}
	return r.save(lastName)
}

// end turns what stopped a run into what Train returns, with a last line in the log.
func (r *run) end(ctx context.Context, err error) error {
	var f *trainer.Failure
	switch {
	case err == nil:
		if r.note != "" {
			r.log.printf("done: %s", r.note)
			break
		}
		r.log.printf("done: %d epochs", r.job.Epochs)
	case errors.As(err, &f): // has its line
	case ctx.Err() != nil:
		epoch := len(r.curves)
		r.log.printf("stopped at epoch %d, after step %d of %d: %v", epoch+1, r.step-epoch*r.steps, r.steps, err)
	default:
		r.log.printf("error: %v", err)
	}
	return err
}
