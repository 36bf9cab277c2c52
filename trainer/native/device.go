package native

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers/gpu"
	"github.com/mapsweep/mapsweep/trials"
)

// CPU is the name of the processor in Job.Devices.
const CPU = "cpu"

// LeastCapability is the compute capability that the kernels need.
const LeastCapability = "8.0"

// GPU is one that trials can be given.
type GPU struct {
	Name        string // in Job.Devices: cuda:0
	cuda.Device        // as this process's driver counts
}

// Place is where trials compute.
type Place struct {
	GPUs []GPU  // a trial is given one of these; none: the CPU
	Why  string // in words
}

// String says where, for people.
func (p Place) String() string {
	where := CPU
	if len(p.GPUs) > 0 {
		var names []string
		for _, g := range p.GPUs {
			names = append(names, g.Name)
		}
		where = strings.Join(names, ", ")
	}
	if p.Why != "" {
		where += " (" + p.Why + ")"
	}
	return where
}

// openGPU makes the engine of a run on a GPU.
type openGPU func(context.Context, GPU, engineConfig) (engine, error)

// place finds out once where trials compute.
func (b *Backend) place() (Place, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.placed != nil {
		return *b.placed, nil
	}
	p := Place{}
	if b.cfg.Place != nil {
		var err error
		if p, err = b.cfg.Place(); err != nil {
			return p, err
		}
	}
	b.placed = &p
	return p, nil
}

// device is what one run computes on.
type device struct {
	gpu    *GPU  // nil: the CPU
	others []GPU // that the run computes on as well
}

// deviceOf chooses the devices of a job among those of the backend's place: the leased ones, or its first where none is.
func (b *Backend) deviceOf(leased []string) (device, error) {
	p, err := b.place()
	if err != nil {
		return device{}, err
	}
	if len(leased) == 0 {
		if want := max(1, b.cfg.GPUs); len(p.GPUs) > 0 && len(p.GPUs) < want {
			return device{}, fmt.Errorf("use %d GPUs: this study's trials compute on %s: %w", want, p, trainer.ErrNoDevice)
		} else if len(p.GPUs) > 0 {
			return deviceOn(p.GPUs[:want]), nil
		}
		return device{}, nil
	}
	if len(leased) == 1 && leased[0] == CPU {
		return device{}, nil
	}
	var all []GPU
	for _, name := range leased {
		i := slices.IndexFunc(p.GPUs, func(g GPU) bool { return g.Name == name })
		if i < 0 || slices.Contains(all, p.GPUs[i]) {
			return device{}, fmt.Errorf("use device %s: this study's trials compute on %s: %w", strings.Join(leased, ", "), p, trainer.ErrNoDevice)
		}
		all = append(all, p.GPUs[i])
	}
	return deviceOn(all), nil
}

// deviceOn is a trial's GPUs, in the order of their numbers, so that no two trials that wait for memory wait for each other.
func deviceOn(all []GPU) device {
	all = slices.SortedFunc(slices.Values(all), func(a, b GPU) int { return cmp.Compare(a.Index, b.Index) })
	return device{gpu: &all[0], others: all[1:]}
}

// gpus are all GPUs of the run.
func (d device) gpus() []GPU {
	if d.gpu == nil {
		return nil
	}
	return append([]GPU{*d.gpu}, d.others...)
}

// ranks is in how many equal shares a batch is divided.
func (d device) ranks() int { return 1 + len(d.others) }

// arithmetic names the device's kind for checkpoints: runs on two of a kind have the same bits. It is "" for the CPU, whose
// instruction set has its own place there.
func (d device) arithmetic() string {
	if d.gpu == nil {
		return ""
	}
	ways := ""
	if d.gpu.Capability == "9.0" && gpu.Wgmma(90) {
		ways = ", wgmma"
	}
	text := fmt.Sprintf("cuda %s, kernels %.6x%s", d.gpu.Capability, sha256.Sum256(kernel.Image()), ways)
	if n := d.ranks(); n > 1 {
		text = fmt.Sprintf("%d x %s", n, text)
	}
	return text
}

// name is that of the device, or those of all.
func (d device) name() string {
	if d.gpu == nil {
		return CPU
	}
	names := []string{d.gpu.Name}
	for _, g := range d.others {
		names = append(names, g.Name)
	}
	return strings.Join(names, " + ")
}

// words describe the device's way to compute.
func (d device) words() string {
	if d.gpu == nil {
		return kernels.ISA() + " kernels"
	}
	how := d.arithmetic()
	if d.gpu.Capability == "9.0" && cuda.Dependent(90) { // the same bits, so no part of the arithmetic
		how += ", dependent launches"
	}
	var all []string
	for _, g := range d.gpus() {
		all = append(all, g.Name+" "+g.Device.Name)
	}
	return fmt.Sprintf("%s (%s)", strings.Join(all, " + "), how)
}

// heldMiB is the GPU memory that the run holds; 0 on the CPU.
func (r *run) heldMiB() int64 {
	if r.device.gpu == nil {
		return 0
	}
	return (r.engine.bytes() + 1<<20 - 1) >> 20
}

// failure makes of a GPU's memory that does not suffice, and of a GPU that is lost, the failure of one trial. One that does not come
// back after it was lost is no trial's failure: there is no such device for those that follow.
func (d device) failure(err error) error {
	switch {
	case d.gpu == nil:
	case errors.Is(err, cuda.ErrStuck):
		return fmt.Errorf("use %s: %w: %w", d.name(), trainer.ErrNoDevice, err)
	case errors.Is(err, cuda.ErrMemory):
		return &trainer.Failure{Class: trials.ClassMemory, Reason: err.Error(), Err: err}
	case errors.Is(err, cuda.ErrLost), errors.Is(err, errRank):
		first, _, _ := strings.Cut(err.Error(), "\n") // all calls after the first say the same
		return &trainer.Failure{Class: trials.ClassDevice, Reason: first, Err: err}
	}
	return err
}
