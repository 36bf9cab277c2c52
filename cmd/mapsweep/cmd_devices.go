package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/telemetry"
	"github.com/mapsweep/mapsweep/trials"
)

// deviceRow is one device in `mapsweep devices --json`.
type deviceRow struct {
	Name        string       `json:"name"` // as in a study file: cpu, cuda:0
	Description string       `json:"description"`
	MemoryMiB   int64        `json:"memory_mib,omitempty"`
	FreeMiB     *int64       `json:"free_mib,omitempty"`
	Utilisation *float64     `json:"utilisation,omitempty"` // 0 to 1; absent: not known
	Processes   []processRow `json:"processes,omitempty"`
	Leases      []leaseRow   `json:"leases,omitempty"` // trials of mapsweep, of whichever process
	Capability  string       `json:"capability,omitempty"`
	UUID        string       `json:"uuid,omitempty"`
	Fake        bool         `json:"fake,omitempty"`
	Presets     []presetRow  `json:"presets,omitempty"` // for backend yolov9 with yolov9-s at 640 pixels
}

type processRow struct {
	PID int   `json:"pid"`
	MiB int64 `json:"mib,omitempty"`
}

type leaseRow struct {
	PID   int   `json:"pid"` // of mapsweep
	MiB   int64 `json:"mib,omitempty"`
	Alone bool  `json:"alone,omitempty"`
}

type presetRow struct {
	Knob  string `json:"knob"`
	Value any    `json:"value"`
	Why   string `json:"why"`
}

func (a *app) devicesCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "devices",
		Short: "List the devices that trials can use, who uses them and what suits them, or say why there is no GPU",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			rows, why, err := listDevices(machineGPUs)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(a.stdout, map[string]any{"devices": rows, "no_gpu": why})
			}
			a.printDevices(rows, why)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

// listDevices is the CPU and the GPUs; why says in words that there are none, none that can be leased, or what of them is
// not known.
func listDevices(machine nativeGPUs) (rows []deviceRow, why string, err error) {
	rows = []deviceRow{{Name: "cpu", Description: fmt.Sprintf("%s, %d cores, %s kernels, bf16 by %s", local.CPU(), runtime.NumCPU(), kernels.ISA(), kernels.BF16())}}
	gpus, err := machine.listed()
	unlisted := false
	if errors.Is(err, telemetry.ErrNone) {
		why = err.Error()
		var none error
		if gpus, none = machine.source(); none == nil {
			unlisted = true
			why = fmt.Sprintf("the list is the CUDA driver's, for the native trainer alone: how much memory is free, and who uses it, is not known (%v)", err)
		}
	} else if err != nil {
		return nil, "", usagef("%w", err)
	}
	capability := map[int]string{}
	if !anyFake(gpus) {
		driver, _ := machine.driver() // NVML has said why there are none
		for _, d := range driver {
			capability[d.Index] = d.Capability
		}
	}
	dir, _ := local.RuntimeDir() // without it nobody leases
	for _, g := range gpus {
		row := deviceRow{Name: g.Device(), Description: g.Name, MemoryMiB: g.TotalMiB, FreeMiB: &g.FreeMiB, UUID: g.UUID, Fake: g.Fake, Capability: capability[g.Index]}
		if !math.IsNaN(g.Utilisation) {
			row.Utilisation = &g.Utilisation
		}
		for _, p := range g.Processes {
			row.Processes = append(row.Processes, processRow(p))
		}
		for _, l := range local.Leases(dir, g.UUID) {
			row.Leases = append(row.Leases, leaseRow(l))
		}
		if unlisted {
			row.FreeMiB = nil
			rows = append(rows, row)
			continue
		}
		b := local.Bench{GPU: g.Name, MiB: g.TotalMiB, PerTrial: 1, Cores: runtime.NumCPU(), Trials: len(gpus), Model: "yolov9-s"}
		for _, s := range local.Presets(b, func(string) bool { return true }) {
			row.Presets = append(row.Presets, presetRow(s))
		}
		rows = append(rows, row)
	}
	return rows, why, nil
}

func (a *app) printDevices(rows []deviceRow, why string) {
	w := a.stdout
	fake := false
	for _, r := range rows {
		fmt.Fprintf(w, "%-8s %s", r.Name, r.Description)
		switch {
		case r.MemoryMiB > 0 && r.FreeMiB == nil:
			fmt.Fprintf(w, ", %d MiB", r.MemoryMiB)
		case r.MemoryMiB > 0:
			fmt.Fprintf(w, ", %d of %d MiB free", *r.FreeMiB, r.MemoryMiB)
		}
		if r.Utilisation != nil {
			fmt.Fprintf(w, ", %.0f %% busy", 100**r.Utilisation)
		}
		if r.Capability != "" {
			fmt.Fprintf(w, ", compute capability %s", r.Capability)
		}
		if r.Fake {
			fake = true
			fmt.Fprint(w, " [FAKE: no such device]")
		}
		fmt.Fprintln(w)
		for _, p := range r.Processes {
			fmt.Fprintf(w, "         process %d holds %s\n", p.PID, mib(p.MiB))
		}
		for _, l := range r.Leases {
			what := "may use all of it"
			if l.MiB > 0 && !l.Alone {
				what = "expects to need " + mib(l.MiB)
			}
			fmt.Fprintf(w, "         leased by mapsweep process %d, which %s\n", l.PID, what)
		}
		for _, p := range r.Presets {
			fmt.Fprintf(w, "         preset %s=%s: %s\n", p.Knob, trials.FormatValue(p.Value), p.Why)
		}
	}
	if why != "" {
		fmt.Fprintln(w, why)
		return
	}
	if v, ok := os.LookupEnv("CUDA_VISIBLE_DEVICES"); ok {
		fmt.Fprintf(w, "CUDA_VISIBLE_DEVICES is %q: trials lease no other GPU than it names\n", v)
	}
	if fake {
		fmt.Fprintln(w, fakeNote)
	}
	fmt.Fprintln(w, "GPUs are leased to trials of the backends command and yolov9, and of native where trainer.device asks for one. Presets are for backend yolov9, here with yolov9-s at 640 pixels.")
}

func mib(n int64) string {
	if n <= 0 {
		return "memory that the driver does not tell"
	}
	return fmt.Sprintf("%d MiB", n)
}
