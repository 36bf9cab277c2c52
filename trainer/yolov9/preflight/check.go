package preflight

import (
	"context"
	"fmt"
	"path/filepath"
)

// Options say what a study is about to do.
type Options struct {
	Checkout string   // folder of the official code
	Python   string   // interpreter
	Models   []string // model files by name or path: every one that the study trains
	Data     []string // data.yaml files: every one that the study trains on
	Batch    int      // smallest batch over all GPUs of a trial; 0: 16
	// ImageSize is the largest of the study; 0: 640.
	ImageSize int
	Optimizer string // the one that keeps most; "": SGD
	Cache     string // "", "ram" or "disk"
	Uses      Uses
	Single    bool // --single-cls
	GPUs      int  // of one trial
	Kept      int  // trials whose checkpoints stay
	Parallel  int  // trials at the same time
	PerTrial  int  // checkpoints that a finished trial keeps beside best and last
	Out       string
	Probe     ProbeOptions
	Workers   int // files looked at side by side; 0: one a core
	Progress  func(Progress)
}

// Report is everything that a preflight found.
type Report struct {
	Checkout Checkout   `json:"checkout"`
	Models   []Model    `json:"models"`
	Python   Python     `json:"python"`
	Data     []DataSeen `json:"data"`
	Need     Need       `json:"need"`   // of the largest model, all data together
	Faults   Faults     `json:"faults"` // the worst first
}

// DataSeen is one data set of a report.
type DataSeen struct {
	Data    Data    `json:"data"`
	Summary Summary `json:"summary"`
}

// Check looks at everything. What is wrong is in the report; the error is that of a context that ended.
func Check(ctx context.Context, o Options) (Report, error) {
	var r Report
	var faults Faults
	r.Checkout, faults = ReadCheckout(o.Checkout)
	r.Faults = append(r.Faults, faults...)
	if err := r.python(ctx, o); err != nil {
		return Report{}, err
	}
	if isDir(r.Checkout.Dir) {
		for _, cfg := range o.Models {
			m, faults := judgeModel(r.Checkout.Dir, cfg)
			r.Models, r.Faults = append(r.Models, m), append(r.Faults, faults...)
		}
	}
	for _, file := range o.Data {
		if err := r.data(ctx, file, o); err != nil {
			return Report{}, err
		}
	}
	r.room(o)
	r.Faults = r.Faults.sorted()
	return r, nil
}

// python asks the interpreter.
func (r *Report) python(ctx context.Context, o Options) error {
	p, err := Probe(ctx, o.Python, o.Probe)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.Faults = append(r.Faults, one(Error, AreaPython, "python", o.Python, "give the interpreter of the environment that has torch as trainer.python", "%v", err))
		return nil
	}
	r.Python = p
	r.Faults = append(r.Faults, JudgePython(p, o.Uses)...)
	return nil
}

// data resolves and inspects one data set.
func (r *Report) data(ctx context.Context, file string, o Options) error {
	d, faults := Resolve(r.Checkout.Dir, file)
	r.Faults = append(r.Faults, faults...)
	seen := DataSeen{Data: d}
	if len(d.Splits) > 0 {
		sum, faults, err := Inspect(ctx, d, InspectOptions{SingleClass: o.Single, ImageSize: o.ImageSize, Workers: o.Workers, Progress: o.Progress})
		if err != nil {
			return fmt.Errorf("inspect %s: %w", d.File, err)
		}
		seen.Summary = sum
		r.Faults = append(r.Faults, faults...)
		if s := sum.Splits[Train]; s.Images > 0 && o.Batch > s.Images {
			r.Faults = append(r.Faults, one(Note, AreaData, "batch-large", d.File, "", "the batch of %d is larger than the %d images of train: the official code lowers it, and an epoch is one step", o.Batch, s.Images))
		}
	}
	r.Data = append(r.Data, seen)
	return nil
}

// room compares the needs of the largest model, and of all data, with the machine.
func (r *Report) room(o Options) {
	ro := RoomOptions{Optimizer: o.Optimizer, Batch: o.Batch, ImageSize: o.ImageSize, GPUs: o.GPUs, Cache: o.Cache,
		Kept: o.Kept, Parallel: o.Parallel, PerTrial: o.PerTrial, Out: o.Out}
	for _, m := range r.Models {
		if m.Params >= ro.Model.Params {
			ro.Model = m
		}
	}
	sum := Summary{Splits: map[string]Split{}}
	for _, d := range r.Data {
		for name, s := range d.Summary.Splits {
			t := sum.Splits[name]
			if o.Cache == "disk" { // every data set leaves its files; in memory there is one at a time
				t.Raw += s.Raw
			}
			t.RAM = max(t.RAM, s.RAM)
			sum.Splits[name] = t
		}
		if e := d.Data.Splits[Train]; ro.Data == "" && len(e) > 0 {
			ro.Data = e[0].Path
			if !isDir(ro.Data) {
				ro.Data = filepath.Dir(ro.Data)
			}
		}
	}
	var gpus []Device
	if c := r.Python.CUDA; c != nil && o.Uses.GPU {
		gpus = c.Devices
	}
	var faults Faults
	r.Need, faults = Room(sum, ro, gpus)
	r.Faults = append(r.Faults, faults...)
}
