package native

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/nccl"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trials"
)

// ModelName is the detector that is trained unless another is named.
const ModelName = model.Default

// Defaults of Config.
const (
	defaultEpochs = 20
	defaultBatch  = 16
	mostLoaders   = 64
	mostThreads   = 256
)

// Values of Config.Precision. BF16 rounds what convolutions multiply in training to bfloat16; sums, weights, normalisation,
// loss, optimiser and all of scoring stay in float32.
const (
	FP32 = "fp32"
	BF16 = "bf16"
)

// Values of Config.Convolution. On the CPU Auto lets 3x3 convolutions with stride 1 use Winograd's form where it is faster, Direct
// does not; results differ by rounding. On a GPU both are mapsweep's kernels, and Fastest is the faster of these and cuDNN's, by
// direction and shape, as times fall when a run starts.
const (
	Auto    = "auto"
	Direct  = "direct"
	Fastest = "fastest"
)

// Config says what a Backend trains. What a study varies is in Job.Params.
type Config struct {
	Model     string   // name of a built-in model, or path of a model file; "": ModelName
	Data      []string // references of dataset.Load, at least one
	ImageSize int      // pixels a side, a multiple of the model's largest stride; 0: the data set's own
	Epochs    int      // of a job that does not say; 0: 20
	Batch     int      // images of a step; 0: 16
	Precision string   // of training: FP32 ("") or BF16

	// GPUs is how many of a trial's place it trains on together, each with an equal share of every batch; 0: one. Above one NCCL is
	// needed.
	GPUs int
	// Place says where trials compute, when it is first needed; where a device that is asked for is not there, its error
	// wraps trainer.ErrNoDevice. nil: on the CPU.
	Place func() (Place, error)

	Convolution string // Auto (""), Direct or Fastest

	Weights string // file that every trial starts from: a checkpoint of this trainer, safetensors, or a checkpoint of PyTorch; "": random weights
	Split   string // split that is scored if the job does not say: "val" ("") or "test"

	// Cache is how many bytes of pixels stay in RAM: see dataset.Options.Cache. Loaders is how many goroutines of a run
	// make batches ahead; nil: one where a run may use more than one core, or else none. Neither changes results.
	Cache   int64
	Loaders *int

	// Threads is how many threads of a run share the work of a step; 0: as many as the run may use cores (Job.Threads). Results
	// have the same bits for every number.
	Threads int

	// ValEvery scores every so many epochs, and always the last; 0: every epoch.
	ValEvery int
	// BestMetric keeps a second checkpoint, best.ckpt, of the epoch with the best value of this metric
	// (the highest, or with BestLowest the lowest); it is then the run's result. "": none.
	BestMetric string
	BestLowest bool
	// NoMatches leaves out of the result which detections matched which objects.
	NoMatches bool
	// Load reads a data set; nil: dataset.Load.
	Load func(ctx context.Context, ref string, opts dataset.Options) (*dataset.Dataset, error)
	// Log receives notes on data and checkpoints; nil: nowhere. Each trial has a log of its own.
	Log *slog.Logger
}

// Backend trains a model. All methods may be called from several goroutines at once.
type Backend struct {
	cfg   Config
	log   *slog.Logger
	model architecture

	openCPU func(engineConfig) (engine, error)
	openGPU openGPU
	shelf   *shelf
	kits    *kits

	choices   choices
	noLibrary sync.Once // tells that there is no cuDNN

	mu      sync.Mutex
	data    map[string]*dataset.Dataset
	weights *source       // nil: not read yet, or none
	nccl    *nccl.Library // nil: not needed yet; it stays open
	placed  *Place        // nil: not asked for yet
}

var (
	_ trainer.Backend   = (*Backend)(nil)
	_ trainer.Preparer  = (*Backend)(nil)
	_ trainer.Checker   = (*Backend)(nil)
	_ trainer.Describer = (*Backend)(nil)
	_ trainer.Prober    = (*Backend)(nil)
	_ trainer.Resumer   = (*Backend)(nil)
	_ trainer.Auditor   = (*Backend)(nil)
	_ trainer.Reviewer  = (*Backend)(nil)
	_ trainer.Closer    = (*Backend)(nil)

	_ trainer.ResumeChecker = (*Backend)(nil)
)

// New checks a configuration.
func New(cfg Config) (*Backend, error) {
	if cfg.Model == "" {
		cfg.Model = ModelName
	}
	if cfg.Split == "" {
		cfg.Split = "val"
	}
	if cfg.Epochs == 0 {
		cfg.Epochs = defaultEpochs
	}
	if cfg.Batch == 0 {
		cfg.Batch = defaultBatch
	}
	if cfg.ValEvery == 0 {
		cfg.ValEvery = 1
	}
	if cfg.Precision == "" {
		cfg.Precision = FP32
	}
	if cfg.Convolution == "" {
		cfg.Convolution = Auto
	}
	if cfg.Load == nil {
		cfg.Load = dataset.Load
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	m, err := openArchitecture(cfg.Model)
	if err == nil {
		err = cfg.check(m)
	}
	if err != nil {
		return nil, fmt.Errorf("configure native trainer: %w", err)
	}
	return &Backend{cfg: cfg, log: cfg.Log, model: m, openCPU: newCPUEngine, openGPU: newGPUEngine, shelf: newShelf(), kits: newKits(cfg.Log), data: map[string]*dataset.Dataset{}}, nil
}

func (c *Config) check(m architecture) error {
	size := checkSize(m.name, c.ImageSize, m.multiple)
	switch {
	case len(c.Data) == 0:
		return fmt.Errorf("no data set is named: %w", trainer.ErrNoData)
	case c.ImageSize != 0 && size != nil:
		return size
	case c.Epochs < 1:
		return fmt.Errorf("%d epochs: use at least 1", c.Epochs)
	case c.Batch < 1:
		return fmt.Errorf("a batch of %d images: use at least 1", c.Batch)
	case c.Loaders != nil && (*c.Loaders < 0 || *c.Loaders > mostLoaders):
		return fmt.Errorf("%d loaders: use 0 to %d", *c.Loaders, mostLoaders)
	case c.Threads < 0 || c.Threads > mostThreads:
		return fmt.Errorf("%d threads: use 1 to %d, or 0 for the trial's cores", c.Threads, mostThreads)
	case c.ValEvery < 1:
		return fmt.Errorf("scoring every %d epochs: use at least 1", c.ValEvery)
	case c.Precision != FP32 && c.Precision != BF16:
		return fmt.Errorf("there is no precision %q: use %s or %s", c.Precision, FP32, BF16)
	case c.Convolution != Auto && c.Convolution != Direct && c.Convolution != Fastest:
		return fmt.Errorf("there is no convolution %q: use %s, %s or, on a GPU, %s", c.Convolution, Auto, Direct, Fastest)
	case c.GPUs < 0 || c.GPUs > 1 && c.Batch%c.GPUs != 0:
		return fmt.Errorf("a batch of %d images on %d GPUs: each takes an equal share; use a batch that %d divides", c.Batch, c.GPUs, c.GPUs)
	case c.Split != "val" && c.Split != "test":
		return fmt.Errorf("there is no split %q to score: use val or test", c.Split)
	}
	return nil
}

// Prepare loads every data set into RAM, builds the network once for each, and says what it found.
func (b *Backend) Prepare(ctx context.Context) (trials.Provenance, error) {
	place, err := b.place()
	if err == nil {
		err = b.cfg.noFastest(place)
	}
	if err != nil {
		return trials.Provenance{Backend: "native"}, err
	}
	together := ""
	if b.cfg.GPUs > 1 && len(place.GPUs) > 0 {
		l, err := b.library()
		if err != nil {
			return trials.Provenance{Backend: "native"}, fmt.Errorf("train on %d GPUs a trial: %w", b.cfg.GPUs, err)
		}
		together = fmt.Sprintf("%d, NCCL %s", b.cfg.GPUs, l.Version)
	}
	p := trials.Provenance{Backend: "native", Extra: map[string]string{
		"model": b.model.name, trials.ExtraInstructionSet: kernels.ISA(), "batch": fmt.Sprint(b.cfg.Batch),
		"threads": "the trial's cores",
	}}
	b.provide(&p, place)
	if together != "" {
		p.Extra["GPUs of a trial"] = together
	}
	if n := b.cfg.Threads; n > 0 {
		p.Extra["threads"] = fmt.Sprint(n)
	}
	switch b.cfg.Convolution {
	case Direct:
		p.Extra["convolution"] = Direct
	case Fastest:
		p.Extra["convolution"] = b.fastest()
	}
	for _, ref := range b.cfg.Data {
		d, err := b.dataset(ctx, ref)
		if err != nil {
			return p, err
		}
		p.Data = append(p.Data, trials.DataSource{Name: d.Name, Hash: d.Hash, Classes: d.Classes,
			Train: len(d.Train), Val: len(d.Val), Test: len(d.Test), Notes: d.Notes})
		key := ""
		if len(b.cfg.Data) > 1 {
			key = " for " + d.Name
		}
		params, eval, train, from, err := b.size(d)
		if err != nil {
			return p, err
		}
		if from != "" {
			p.Extra["weights"+key], p.Extra[trials.ExtraWeights] = from, b.weights.hash
		}
		p.Extra["image size"+key] = fmt.Sprint(d.Size)
		p.Extra["parameters"+key] = fmt.Sprint(params)
		p.Extra["GFLOP forward per image"+key] = fmt.Sprintf("%.4f", eval)
		p.Extra["GFLOP training per image"+key] = fmt.Sprintf("%.4f", train)
	}
	return p, nil
}

// provide adds to a provenance what trials compute on: the devices that are leased to them are named by who leases them.
func (b *Backend) provide(p *trials.Provenance, place Place) {
	bf16 := b.cfg.Precision == BF16
	if place.Why != "" {
		p.Extra[trials.ExtraDevice] = place.String()
		b.log.Info("trials compute on " + place.String())
	}
	switch {
	case len(place.GPUs) > 0:
		d := device{gpu: &place.GPUs[0]}
		if n := b.cfg.GPUs; n > 1 {
			d.others = make([]GPU, n-1)
		}
		p.Extra["arithmetic"] = d.arithmetic()
		if bf16 {
			p.Extra["precision"] = BF16
		}
		return
	case bf16:
		p.Extra["precision"] = fmt.Sprintf("%s, %s", BF16, kernels.BF16())
		if kernels.BF16() == kernels.Emulated {
			b.log.Warn("this processor has no instructions for bfloat16: they are emulated, and training is slower than with precision fp32", "precision", BF16)
		}
	}
	p.Devices = []string{CPU}
}

// size is the number of parameters, the GFLOP of one image in evaluation and in training, and what comes from trainer.weights.
func (b *Backend) size(d *dataset.Dataset) (params int, eval, train float64, from string, err error) {
	s, err := b.source()
	if err != nil {
		return 0, 0, 0, "", err
	}
	n, err := model.New(model.Config{File: b.model.file, Classes: len(d.Classes), Width: d.Size, Height: d.Size, Batch: min(2, b.cfg.Batch), Aux: b.model.weight > 0})
	if err != nil {
		return 0, 0, 0, "", fmt.Errorf("data %s: %w", d.Name, err)
	}
	if s != nil {
		if from, err = s.into(n, d.Classes); err != nil {
			return 0, 0, 0, "", errors.Join(err, n.Close())
		}
	}
	e, t := n.ForwardFLOP()
	params = n.ParamCount()
	return params, float64(e) / 1e9, 3 * float64(t) / 1e9, from, n.Close()
}

// dataset loads a data set at its first use.
func (b *Backend) dataset(ctx context.Context, ref string) (*dataset.Dataset, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := b.data[ref]; d != nil {
		return d, nil
	}
	d, err := b.cfg.Load(ctx, ref, dataset.Options{Size: b.cfg.ImageSize, Cache: b.cfg.Cache, Log: b.log})
	if err != nil {
		return nil, err
	}
	if k := b.model.multiple; d.Size%k != 0 {
		return nil, fmt.Errorf("data %s: images of %d pixels a side: set image_size to a multiple of %d", ref, d.Size, k)
	}
	for _, name := range []string{"train", b.cfg.Split} {
		images, err := d.Split(name)
		if err != nil {
			return nil, err
		}
		if len(Truths(images)) == 0 {
			return nil, fmt.Errorf("data %s has no object on the %d images of its %s split, by which nothing can be scored: add labels, or choose another split: %w", ref, len(images), name, trainer.ErrNoData)
		}
	}
	if len(d.Train) < b.cfg.Batch {
		return nil, fmt.Errorf("data %s has %d training images, fewer than a batch of %d: lower batch to %d or less: %w", ref, len(d.Train), b.cfg.Batch, len(d.Train), trainer.ErrNoData)
	}
	b.data[ref] = d
	debug.FreeOSMemory() // what decoding left, before networks take theirs
	return d, nil
}

// better says whether a is a better value of BestMetric than b.
func (c Config) better(a, b float64) bool {
	if c.BestLowest {
		return a < b
	}
	return a > b
}

// Train runs one job; see trainer.Backend. Files in job.Dir: trial.log, effective.json,
// curves.csv, last.ckpt and, with Config.BestMetric, best.ckpt.
func (b *Backend) Train(ctx context.Context, job trainer.Job, report func(trials.Measurement)) (trainer.Result, error) {
	r, err := b.newRun(ctx, job)
	if err != nil {
		return trainer.Result{}, err
	}
	defer r.close()
	err = r.train(ctx, report)
	r.sound = err == nil || ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) && !r.uncut
	if err != nil {
		return trainer.Result{Effective: r.effective}, r.end(ctx, err)
	}
	checkpoint := r.path(lastName)
	if r.best != nil {
		checkpoint = r.path(bestName)
	}
	res := trainer.Result{Effective: r.effective, Checkpoint: checkpoint, Artifacts: r.artifacts(ctx), Note: r.remark(), PeakMiB: r.heldMiB()}
	return res, r.end(ctx, nil)
}

// newRun resolves a job and builds everything that it needs.
func (b *Backend) newRun(ctx context.Context, job trainer.Job) (*run, error) {
	if job.Data == "" {
		job.Data = b.cfg.Data[0]
	}
	if job.Epochs == 0 {
		job.Epochs = b.cfg.Epochs
	}
	if job.Split == "" {
		job.Split = b.cfg.Split
	}
	dev, err := b.deviceOf(job.Devices)
	if err != nil {
		return nil, err
	}
	if dev.gpu == nil {
		if err := b.cfg.noFastest(Place{}); err != nil {
			return nil, err
		}
	}
	if !slices.Contains(b.cfg.Data, job.Data) {
		return nil, fmt.Errorf("data %q is none of the trainer's: %s: %w", job.Data, strings.Join(b.cfg.Data, ", "), trainer.ErrNoData)
	}
	s, effective, err := b.model.resolve(job.Params)
	if err != nil {
		return nil, err
	}
	d, err := b.dataset(ctx, job.Data)
	if err != nil {
		return nil, err
	}
	val, err := d.Split(job.Split)
	if err != nil {
		return nil, err
	}
	r := &run{b: b, job: job, device: dev, set: s, effective: effective, data: d, val: val}
	if err := r.build(ctx); err != nil {
		return nil, errors.Join(dev.failure(err), r.close())
	}
	return r, nil
}
