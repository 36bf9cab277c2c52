package yolov9

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/telemetry"
	"github.com/mapsweep/mapsweep/trainer/yolov9/preflight"
	"github.com/mapsweep/mapsweep/trials"
)

// intends tells the backend which values a study will try, so that the preflight looks at what will run. CheckParams does.
func (b *Backend) intends(baseline trials.Params, levels map[string][]any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.intended = map[string][]any{}
	for _, k := range knobs() {
		v, ok := baseline[k.Name]
		if !ok {
			v = b.fallback(k)
		}
		b.intended[k.Name] = append([]any{v}, levels[k.Name]...)
	}
}

// tried are the values that the study will try for a knob; before CheckParams, its default.
func (b *Backend) tried(name string) []any {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v, ok := b.intended[name]; ok {
		return v
	}
	k, _ := find(name)
	return []any{b.fallback(k)}
}

// numbers are the values tried as numbers.
func (b *Backend) numbers(name string) []int {
	var list []int
	for _, v := range b.tried(name) {
		if x, ok := trials.Number(v); ok {
			list = append(list, int(x))
		}
	}
	return list
}

// check looks at everything, once for the life of the backend.
func (b *Backend) check(ctx context.Context) (preflight.Report, error) {
	b.checking.Lock()
	defer b.checking.Unlock()
	if b.checked != nil {
		return *b.checked, nil
	}
	r, err := preflight.Check(ctx, b.options())
	if err == nil {
		b.checked = &r
	}
	return r, err
}

// options are what the study is about to do, as the preflight wants it.
func (b *Backend) options() preflight.Options {
	o := preflight.Options{Checkout: b.cfg.Checkout, Python: b.cfg.Python, Batch: slices.Min(b.numbers("batch_size")), ImageSize: slices.Max(b.numbers("imgsz")),
		GPUs: b.gpus(), Kept: b.cfg.Kept, Parallel: b.cfg.Parallel, Out: b.cfg.Out, Optimizer: "SGD",
		Single: slices.Contains(b.tried("single_cls"), any(true)),
		Uses:   preflight.Uses{MultiScale: slices.Contains(b.tried("multi_scale"), any(true)), GPU: !b.onCPU()}}
	o.Probe.Env = append(os.Environ(), "WANDB_MODE=disabled")
	gpus, _ := telemetry.GPUs() // the error says that there are none
	o.Uses.GPU = o.Uses.GPU && len(gpus) > 0
	o.Probe.Import = o.Uses.GPU && !slices.ContainsFunc(gpus, func(g telemetry.GPU) bool { return g.Fake }) // slow, and only torch knows which GPUs it can use
	for _, v := range b.tried("cfg") {
		if m, ok := v.(string); ok && !slices.Contains(o.Models, m) {
			o.Models = append(o.Models, modelFile(m))
		}
	}
	for _, n := range b.numbers("save_period") {
		if n > 0 {
			o.PerTrial = max(o.PerTrial, (b.cfg.Epochs+n-1)/n)
		}
	}
	for _, v := range b.tried("optimizer") {
		if v != "SGD" {
			o.Optimizer, _ = v.(string) // keeps two states for each weight, not one
		}
	}
	for _, v := range b.tried("cache") {
		if v != None {
			o.Cache, _ = v.(string)
		}
	}
	for _, d := range b.cfg.Data {
		o.Data = append(o.Data, absolute(d, pathExists)) // a folder, too: the fault then names the file in it
	}
	return o
}

// Preflight implements trainer.Preflighter.
func (b *Backend) Preflight(ctx context.Context) (trainer.Preflight, error) {
	r, err := b.check(ctx)
	if err != nil {
		return trainer.Preflight{}, fmt.Errorf("check the official trainer: %w", err)
	}
	p := trainer.Preflight{Facts: r}
	for _, f := range r.Faults {
		p.Found = append(p.Found, trainer.Remark{Level: string(f.Level), Text: f.String()})
	}
	return p, nil
}

// Prepare checks the checkout, the interpreter, the models, the data, disk and memory before the first trial, and
// says where results come from. The error has every fault that would stop a trial.
func (b *Backend) Prepare(ctx context.Context) (trials.Provenance, error) {
	p := trials.Provenance{Backend: "yolov9", Extra: map[string]string{"checkout": b.cfg.Checkout, "model": b.cfg.Model}}
	if err := ctx.Err(); err != nil {
		return p, err
	}
	r, err := b.check(ctx)
	if err != nil {
		return p, fmt.Errorf("check the official trainer: %w", err)
	}
	if n := r.Faults.Count(preflight.Error); n > 0 {
		var all []string
		for _, f := range r.Faults {
			if f.Level == preflight.Error {
				all = append(all, f.String())
			}
		}
		return p, fmt.Errorf("%d %s in the way of the official trainer:\n%s\n%w", n, plural(n, "fault is", "faults are"), strings.Join(all, "\n"), errUnfit)
	}
	say := b.warned.CompareAndSwap(false, true)
	if n := r.Faults.Count(preflight.Warning); n > 0 && say {
		b.cfg.Log.Warn(fmt.Sprintf("the preflight has %d %s; 'mapsweep check' lists them", n, plural(n, "warning", "warnings")))
	}
	if text := b.unverified(); text != "" {
		p.Extra["UNVERIFIED on GPUs"] = text
		if say {
			b.cfg.Log.Warn("UNVERIFIED on GPUs: " + text)
		}
	}
	b.describe(&p, r)
	return p, nil
}

// unverified names what the study uses that has only been run on the CPU, or by reading; "" if it uses nothing of it.
func (b *Backend) unverified() string {
	if b.onCPU() {
		return ""
	}
	var parts []string
	if b.gpus() > 1 {
		parts = append(parts, "several GPUs in one trial (torchrun was run with ranks on the CPU over gloo)")
	}
	for _, name := range []string{"amp", "sync_bn", "nccl_timeout"} {
		k, _ := find(name)
		if slices.ContainsFunc(b.tried(name), func(v any) bool { return !trials.SameValue(v, k.Default) }) {
			parts = append(parts, name)
		}
	}
	return strings.Join(parts, ", ")
}

// errUnfit wraps trainer.ErrNoData, so that a study ends before it starts, with the code of what is not there.
var errUnfit = fmt.Errorf("nothing was started: %w", trainer.ErrNoData)

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// describe fills in where results come from.
func (b *Backend) describe(p *trials.Provenance, r preflight.Report) {
	put := func(name, value string) {
		if value != "" {
			p.Extra[name] = value
		}
	}
	put("commit of the official code", r.Checkout.Commit)
	put("Python", r.Python.Version)
	for _, dist := range []string{"torch", "torchvision", "numpy", "albumentations"} {
		v, ok := r.Python.Has(dist)
		if !ok {
			v = "not installed"
		}
		put(dist, v)
	}
	if b.seedsImages() {
		put("stream of training pictures", "depends on the seed of each replicate (by mapsweep; with data loader workers the official code gives every seed the same pictures)")
	} else if b.cfg.Replicates > 1 {
		put("stream of training pictures", "as the official code makes it: the same for every seed if there are data loader workers, so that replicates understate the spread")
	}
	for _, d := range r.Data {
		s := trials.DataSource{Name: d.Data.File, Classes: d.Data.Names, Hash: d.Summary.Hash,
			Train: d.Summary.Splits[preflight.Train].Images, Val: d.Summary.Splits[preflight.Val].Images}
		if kind := d.Summary.Labels(); kind != preflight.NoLabels {
			s.Notes = append(s.Notes, "labels are "+string(kind))
		}
		p.Data = append(p.Data, s)
	}
}

// seedsImages says whether every trial makes its pictures depend on the seed.
func (b *Backend) seedsImages() bool {
	for _, v := range b.tried("seed_images") {
		if v == SeedOff || v == SeedAuto && b.cfg.Replicates < 2 {
			return false
		}
	}
	return true
}

// scriptOf is the script that fits a model, and the path of the model's file.
func (b *Backend) scriptOf(model string) (script, path string, err error) {
	kind, path, err := preflight.Script(b.cfg.Checkout, modelFile(model))
	if err != nil {
		return "", "", err
	}
	return kind.Train(), path, nil
}

// modelFile is the file of a model: a study may leave .yaml out.
func modelFile(name string) string {
	if ext := filepath.Ext(name); ext == ".yaml" || ext == ".yml" {
		return name
	}
	return name + ".yaml"
}

// dataFile writes a data.yaml with absolute paths for a job, and returns its path: the official code resolves
// relative ones from the checkout.
func (b *Backend) dataFile(job string, dir string) (string, error) {
	d, faults := preflight.Resolve(b.cfg.Checkout, absolute(job, isFile))
	if err := faults.Err(); err != nil {
		return "", &trainer.Failure{Class: trials.ClassData, Reason: err.Error()}
	}
	text, err := d.Absolute()
	if err != nil {
		return "", fmt.Errorf("write data.yaml: %w", err)
	}
	path := filepath.Join(dir, dataName)
	if err := os.WriteFile(path, text, 0o666); err != nil {
		return "", fmt.Errorf("write data.yaml: %w", err)
	}
	return path, nil
}

// look is what a glance at the labels says.
type look struct {
	known    bool
	images   int
	polygons bool
}

// look inspects the first data set; one that cannot be read is not known.
func (b *Backend) look(ctx context.Context) (look, error) {
	r, err := b.check(ctx)
	if err != nil || len(r.Data) == 0 {
		return look{}, err
	}
	s := r.Data[0].Summary
	kind := s.Labels()
	return look{known: s.Splits[preflight.Train].Images > 0, images: s.Splits[preflight.Train].Images, polygons: kind == preflight.Polygons || kind == preflight.Mixed}, nil
}
