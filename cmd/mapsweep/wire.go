package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/sweep/gp"
	"github.com/mapsweep/mapsweep/sweep/grid"
	"github.com/mapsweep/mapsweep/sweep/nsga"
	"github.com/mapsweep/mapsweep/sweep/prune"
	"github.com/mapsweep/mapsweep/sweep/tpe"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/command"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/yolov9"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// The tables of what exists. Nothing registers itself: a new store, backend, sampler or pruner is a line here.

// openStore opens the database for writing, making it and its folder if need be.
func openStore(ctx context.Context, path string, options ...sqlite.Option) (trials.Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, fmt.Errorf("make folder of the database: %w; name another with --db", err)
	}
	return sqlite.Open(ctx, path, options...)
}

// readStore opens an existing database for the commands that only read.
func readStore(ctx context.Context, path string) (trials.Store, error) {
	store, err := sqlite.OpenReadOnly(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; name another with --db, or run a study first", err)
	}
	if err != nil {
		return nil, err
	}
	return store, nil
}

// newBackend makes the trainer that a study asks for. out is the folder that the study writes to.
func newBackend(spec studies.Spec, out string, log *slog.Logger) (trainer.Backend, error) {
	t, o := spec.Trainer, spec.Objective
	var limit time.Duration
	if t.Timeout != "" {
		var err error
		if limit, err = time.ParseDuration(t.Timeout); err != nil {
			return nil, usagef("trainer.timeout: %w", err)
		}
	}
	switch t.Backend {
	case studies.BackendNative:
		cache, err := t.CacheBytes()
		if err != nil {
			return nil, usagef("trainer.cache %w", err)
		}
		cfg := native.Config{
			Cache: cache, Loaders: t.Loaders, Threads: t.Threads,
			Model: t.Model, Data: t.Data, ImageSize: t.ImageSize,
			Epochs: t.Epochs, Batch: t.Batch, GPUs: t.GPUs, Place: func() (native.Place, error) { p, _, err := machineGPUs.place(t, deviceKey); return p, err }, Weights: t.Weights, Precision: t.Precision, Convolution: t.Convolution, Split: o.Split, NoMatches: spec.NoMatches, Log: log,
		}
		if o.Epoch == "best" {
			by, dir := o.Chooser()
			cfg.BestMetric, cfg.BestLowest = by, dir == trials.Minimize
		}
		return native.New(cfg)
	case studies.BackendCommand:
		return command.New(commandConfig(t, limit, log))
	case studies.BackendYOLOv9:
		return yolov9.New(yolov9.Config{
			Checkout: t.Checkout, Python: t.Python, Model: t.Model, Data: t.Data, ImageSize: t.ImageSize, Epochs: t.Epochs, Batch: t.Batch,
			Device: t.Device, GPUs: t.GPUs, Split: o.Split, Replicates: spec.Replicates, BestEpoch: o.Epoch == "best", COCO: t.COCO, NoMatches: spec.NoMatches, Timeout: limit, Log: log,
			Kept: kept(spec), Parallel: spec.Budget.Parallel, Out: out,
		})
	}
	return nil, usagef("trainer.backend: %q is none of native, command, yolov9", t.Backend)
}

// letGo has a trainer give back what it keeps for further trials. What fails there concerns no trial.
func letGo(backend trainer.Backend, log *slog.Logger) {
	c, ok := backend.(trainer.Closer)
	if !ok {
		return
	}
	if err := c.Close(); err != nil {
		log.Warn("the trainer cannot give back what it keeps for further trials", "because", err)
	}
}

// kept is how many trials have a checkpoint at most beside those that run. Where pruned trials may go on, any of them; of
// tunings, which come one after the other and keep nothing, those of one.
func kept(spec studies.Spec) int {
	n := spec.Keep.Best + spec.Keep.Last
	if s := spec.Search; s != nil && prune.Promotes(s.Pruner) {
		n = max(n, s.Trials*max(1, spec.Replicates)*max(1, len(spec.Trainer.Data)))
	}
	if t := spec.Tune; t != nil && prune.Promotes(t.Pruner) {
		n += t.Trials
	}
	return n
}

// published says that the trainer has a form that its authors publish, to which mapsweep adds.
func published(t studies.Trainer) bool { return t.Backend == studies.BackendYOLOv9 }

// knobDefaults are defaults of knobs that a study's trainer block sets.
func knobDefaults(t studies.Trainer) trials.Params {
	p := trials.Params{}
	if t.Backend != studies.BackendYOLOv9 {
		return p
	}
	if t.Batch > 0 {
		p["batch_size"] = int64(t.Batch)
	}
	if t.ImageSize > 0 {
		p["imgsz"] = int64(t.ImageSize)
	}
	return p
}

// commandConfig brings over what a study says of its program.
func commandConfig(t studies.Trainer, limit time.Duration, log *slog.Logger) command.Config {
	cfg := command.Config{Command: t.Command, Env: t.Env, Timeout: limit, Epochs: t.Epochs, Log: log}
	if a := t.Arguments; a != nil {
		cfg.Arguments = &command.Arguments{Each: a.Each, IfTrue: a.IfTrue, IfFalse: a.IfFalse}
	}
	if m := t.Metrics; m != nil && m.Format == studies.FormatTable {
		cfg.Table = &command.Table{File: m.File, Epoch: m.Epoch, First: m.First, Columns: m.Columns}
	}
	if c := t.Checkpoint; c != nil {
		cfg.Checkpoint = &command.Checkpoint{File: c.File, Resume: c.Resume}
	}
	return cfg
}

// samplers by the names of study files.
func samplers() map[string]sweep.NewSampler {
	return map[string]sweep.NewSampler{
		"random":      goptuna.Random,
		"tpe":         tpe.New,
		"goptuna-tpe": goptuna.TPE,
		"cmaes":       goptuna.CMAES,
		"sobol":       goptuna.Sobol,
		"gp":          gp.New,
		"nsga2":       nsga.New,
		"grid":        grid.New,
	}
}

// pruners by the names of study files; none needs no entry.
func pruners() map[string]sweep.NewPruner {
	judges := map[string]sweep.NewPruner{
		"median":             prune.Median,
		"percentile":         prune.Percentile,
		"threshold":          prune.Threshold,
		"wilcoxon":           prune.Wilcoxon,
		"successive-halving": goptuna.SuccessiveHalving,
	}
	all := maps.Clone(judges)
	all["patient"] = prune.Patient(judges)
	all["asha"] = prune.ASHA
	all["hyperband"] = prune.Hyperband
	return all
}
