package local

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/telemetry"
)

// Devices says what trials may lease beside cores. The zero value is the CPU alone.
type Devices struct {
	// GPUs lists the devices of this machine; nil: trials do not use any.
	GPUs telemetry.Source
	// Want is a study file's trainer.device: auto (or ""), cpu, cuda, or some GPUs: cuda:0 or cuda:0,2.
	Want string
	// PerTrial is how many GPUs a trial gets; 0: one.
	PerTrial int
	// Pack lets several trials share a GPU once it is known how much memory one needs (Pool.Learn).
	Pack bool
	// Dir is the folder of the lock files that keep other processes off what is leased here (see RuntimeDir);
	// "": other processes are not looked at.
	Dir string
	// Settle bounds the wait for memory of an earlier trial to be given back before a GPU is leased again; 0: 15 s.
	Settle time.Duration
}

// list is nil where no GPUs are meant to be used.
func (d Devices) list() ([]telemetry.GPU, error) {
	if d.GPUs == nil {
		return nil, nil
	}
	return Select(d.GPUs, d.Want, d.PerTrial)
}

// CheckDevice says what is wrong with a device as a study file names it, or nil.
func CheckDevice(want string) error {
	_, err := numbers(want)
	return err
}

// numbers reads a list of GPUs: cuda:0,2 or cuda:0,cuda:2. Words are no list.
func numbers(want string) ([]int, error) {
	switch want {
	case "", "auto", "cpu", "cuda":
		return nil, nil
	}
	rest, ok := strings.CutPrefix(want, "cuda:")
	if !ok {
		return nil, fmt.Errorf("device %q: write auto, cpu, cuda, cuda:0, or several as cuda:0,2", want)
	}
	var list []int
	for item := range strings.SplitSeq(rest, ",") {
		n, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(item), "cuda:"), 10, 8)
		if err != nil {
			return nil, fmt.Errorf("device %q: %q is no number of a GPU", want, item)
		}
		if slices.Contains(list, int(n)) {
			return nil, fmt.Errorf("device %q names GPU %d twice", want, n)
		}
		list = append(list, int(n))
	}
	return list, nil
}

// Select picks the GPUs that a study may lease: those that want names, of those that CUDA_VISIBLE_DEVICES
// leaves visible. None and no error means the CPU. Where GPUs are asked for and not there,
// the error wraps trainer.ErrNoDevice and says why.
func Select(source telemetry.Source, want string, perTrial int) ([]telemetry.GPU, error) {
	list, err := numbers(want)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", trainer.ErrNoDevice, err)
	}
	if want == "cpu" {
		return nil, nil
	}
	insists := want == "cuda" || len(list) > 0 || perTrial > 0
	gpus, err := source()
	if err == nil {
		gpus, err = visible(gpus)
	}
	if err != nil {
		if errors.Is(err, telemetry.ErrNone) && !insists {
			return nil, nil
		}
		return nil, fmt.Errorf("use device %s: %w: %w", word(want), trainer.ErrNoDevice, err)
	}
	if len(list) > 0 {
		var chosen []telemetry.GPU
		for _, n := range list {
			i := slices.IndexFunc(gpus, func(g telemetry.GPU) bool { return g.Index == n })
			if i < 0 {
				return nil, fmt.Errorf("use device %s: %w: there is no cuda:%d here, only %s", want, trainer.ErrNoDevice, n, names(gpus))
			}
			chosen = append(chosen, gpus[i])
		}
		gpus = chosen
	}
	if perTrial > len(gpus) {
		return nil, fmt.Errorf("use device %s: %w: a trial is to have %d GPUs (trainer.gpus), and it may use only %s", word(want), trainer.ErrNoDevice, perTrial, names(gpus))
	}
	return gpus, nil
}

func word(want string) string {
	if want == "" {
		return "auto"
	}
	return want
}

// visible leaves out what CUDA_VISIBLE_DEVICES hides: a scheduler or a user gave this process those devices only.
// The driver's list does not heed it. As in CUDA, the first item that names no device ends the list.
func visible(gpus []telemetry.GPU) ([]telemetry.GPU, error) {
	text, set := os.LookupEnv("CUDA_VISIBLE_DEVICES")
	if !set {
		return gpus, nil
	}
	var left []telemetry.GPU
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		if strings.HasPrefix(item, "MIG-") {
			return nil, fmt.Errorf("%w: CUDA_VISIBLE_DEVICES names a part of a GPU (MIG), which mapsweep does not lease", telemetry.ErrNone)
		}
		i := slices.IndexFunc(gpus, func(g telemetry.GPU) bool {
			return item == strconv.Itoa(g.Index) || strings.HasPrefix(item, "GPU-") && strings.HasPrefix(g.UUID, item)
		})
		if i < 0 || slices.ContainsFunc(left, func(g telemetry.GPU) bool { return g.UUID == gpus[i].UUID }) {
			break
		}
		left = append(left, gpus[i])
	}
	if len(left) == 0 {
		return nil, fmt.Errorf("%w: CUDA_VISIBLE_DEVICES is %q and leaves none of %s", telemetry.ErrNone, text, names(gpus))
	}
	slices.SortFunc(left, func(a, b telemetry.GPU) int { return a.Index - b.Index })
	return left, nil
}

// names lists devices: cuda:0, cuda:1.
func names(gpus []telemetry.GPU) string {
	var list []string
	for _, g := range gpus {
		list = append(list, g.Device())
	}
	return strings.Join(list, ", ")
}
