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
	device    device
	set       settings
	effective trials.Params
	data      *dataset.Dataset
	val       []dataset.Image // the split that is scored

	engine  engine
	net     *model.Network // the engine's
	sampler *augment.Augmenter
	recipes func() batches.Recipes // for those of a batch; nil: batches have pictures
	loader  *batches.Loader        // of the training epochs
	batch   batch                  // the one at hand; its images have room for the largest side, and are nil until it is needed
	pace    optim.Pace             // what was submitted to the engine, of the whole run

	steps  int        // of an epoch, each with one batch
	sums   loss.Parts // over the steps of the epoch
	curves []curve
	best   *best
	config string        // hash of all that a checkpoint must share
	choice *convolutions // of convolutions; nil: there was none to make

	log      *trialLog
	scorer   *scorer
	from     string        // what came from trainer.weights, or ""
	sound    bool          // it has ended and nothing failed
	uncut    bool          // it was stopped, and could not be saved
	note     string        // why the run ended before its last epoch, or ""
	last     time.Time     // of the last progress call
	finished time.Time     // of the last epoch
	took     time.Duration // of the last epoch
}

// build makes the network and the buffers, and restores a checkpoint if the job names one.
func (r *run) build(ctx context.Context) error {
	c := &r.b.cfg
	r.steps = len(r.data.Train) / c.Batch
	start, err := r.b.source()
	if err != nil {
		return err
	}
	r.config = r.fingerprint(start)
	if err := r.oneValue(); err != nil {
		return err
	}
	r.pace = optim.NewPace(r.schedule(), c.Batch, r.set.nominal)
	if err := r.open(ctx); err != nil {
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
	solver, err := r.optimiser()
	if err == nil {
		err = r.engine.begin(solver)
	}
	if err != nil {
		return err
	}
	r.scorer = newScorer(r.data, r.val)
	if r.job.Resume != "" {
		if err := r.restore(r.job.Resume); err != nil {
			return err
		}
		if err := r.adopt(filepath.Dir(r.job.Resume)); err != nil {
			return err
		}
	}
	if err := r.choose(); err != nil {
		return err
	}
	r.log, err = r.openFiles()
	return err
}

// oneValue refuses settings by which batch normalisation would have to do with one value of a channel.
func (r *run) oneValue() error {
	least := augment.LeastSide(r.data.Size, r.b.model.multiple, r.set.multiScale)
	if least != r.b.model.multiple || r.together() > 1 || r.set.multiScale == 0 && r.device.ranks() == 1 {
		return nil
	}
	where, sync := "", ""
	if r.device.ranks() > 1 {
		where, sync = " on each GPU", ", or set sync_bn"
	}
	return infeasible(fmt.Errorf("multi_scale %v: some batches are one picture of %d pixels%s, which leaves batch normalisation one value; raise batch or image_size%s",
		r.set.multiScale, least, where, sync))
}

// threads is the number of threads that share the work of a step.
func (r *run) threads() int {
	if n := r.b.cfg.Threads; n > 0 {
		return n
	}
	return max(1, r.job.Threads)
}

// open makes the engine, with a network of initial weights.
func (r *run) open(ctx context.Context) (err error) {
	c, open := &r.b.cfg, r.b.openCPU
	if gpu := r.device.gpu; gpu != nil {
		open = func(c engineConfig) (engine, error) { return r.b.openGPU(ctx, *gpu, c) }
	}
	if r.device.ranks() > 1 {
		open = func(c engineConfig) (engine, error) { return r.openRanks(ctx, c) }
	}
	var choices *choices
	if c.Convolution == Fastest {
		choices = &r.b.choices
	}
	r.engine, err = open(engineConfig{loss: r.lossSpec(), threads: r.threads(), shelf: r.b.shelf, choices: choices,
		solver: r.solver(), kits: r.b.kits, apart: choices != nil && r.job.Resume != "", // which may have another choice
		data:    runData{hash: r.data.Hash, train: r.data.Train, split: r.job.Split, scored: r.val, sampling: r.set.sampling()},
		objects: c.Batch * augment.MostObjects(r.data.Train, r.set.sampling()),
		model: model.Config{File: r.b.model.file, Classes: len(r.data.Classes), Width: r.data.Size, Height: r.data.Size, Batch: c.Batch, Largest: r.mostSide(),
			Seed: r.job.Seed, BF16: c.Precision == BF16, Direct: c.Convolution == Direct, Aux: r.set.aux > 0}})
	if err != nil {
		return err
	}
	r.net = r.engine.network()
	return nil
}

// schedule is that of rates and accumulation over the whole run.
func (r *run) schedule() optim.Schedule {
	s := &r.set
	return optim.Schedule{LR0: s.lr0, LRF: s.lrf, Shape: s.shape, Momentum: s.momentum,
		Warmup: max(s.warmupEpochs*float64(r.steps), float64(s.warmupFloor)), WarmupMomentum: s.warmupMomentum, WarmupBias: s.warmupBias,
		Steps: r.steps * r.job.Epochs}
}

func (r *run) close() error {
	var errs []error
	if r.engine != nil {
		errs = append(errs, r.engine.close(r.sound))
	}
	if r.log != nil {
		errs = append(errs, r.log.close())
	}
	return errors.Join(errs...)
}

// train runs the epochs that are left.
func (r *run) train(ctx context.Context, report func(trials.Measurement)) error {
	if err := r.hold(ctx); err != nil {
		return err
	}
	if err := r.startLoader(ctx); err != nil {
		return err
	}
	defer r.loader.Close()
	r.finished = time.Now()
	for epoch := len(r.curves); epoch < r.job.Epochs; epoch++ {
		if r.note = r.exhausted(); r.note != "" {
			return nil
		}
		saved := r.pace.Step
		var metrics map[string]float64
		err := r.epoch(ctx, epoch)
		if err == nil {
			metrics, err = r.measure(ctx, epoch)
		}
		if err != nil {
			if ctx.Err() != nil && r.pace.Step > saved {
				failed := r.cut()
				r.uncut = failed != nil
				err = errors.Join(err, failed)
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

// cut saves a run that ends within an epoch.
func (r *run) cut() error {
	if err := r.collect(true); err != nil {
		return err
	}
	return r.save(lastName)
}

// epoch runs the steps that are left of an epoch, counted from 0. The last images of the
// order that do not fill a batch are left out.
func (r *run) epoch(ctx context.Context, epoch int) error {
	for range (epoch+1)*r.steps - r.pace.Step {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := r.next(); err != nil {
			return err
		}
		if err := r.submit(); err != nil {
			return err
		}
		if err := r.collect(false); err != nil {
			return err
		}
	}
	return r.collect(true)
}

func (r *run) progress(v result) {
	if r.job.Progress == nil || time.Since(r.last) < progressEvery {
		return
	}
	r.last = time.Now()
	r.job.Progress(trainer.Progress{Epoch: v.Step/r.steps + 1, Epochs: r.job.Epochs, Step: v.Step%r.steps + 1, Steps: r.steps, Loss: v.loss})
}

// measure makes the metrics of a finished epoch and writes its line.
func (r *run) measure(ctx context.Context, epoch int) (map[string]float64, error) {
	ok, err := r.engine.finite()
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, r.failed("weights stopped being finite", epoch, r.steps-1)
	}
	n := float64(r.steps)
	rates := r.pace.Schedule.At(r.pace.Step - 1)
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
	if f := r.device.failure(err); f != err {
		r.log.printf("failed: %v", f)
		return f
	}
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
		r.log.printf("stopped at epoch %d, after step %d of %d: %v", epoch+1, r.pace.Step-epoch*r.steps, r.steps, err)
	default:
		r.log.printf("error: %v", err)
	}
	return err
}
