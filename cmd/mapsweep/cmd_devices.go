package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// deviceRow is one device in `mapsweep devices --json`.
type deviceRow struct {
	Name        string `json:"name"` // as in a study file: cpu, cuda:0
	Description string `json:"description"`
	MemoryMiB   int64  `json:"memory_mib,omitempty"`
	Capability  string `json:"capability,omitempty"`
}

func (a *app) devicesCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "devices",
		Short: "List the devices that trials can use, or say why there is no GPU",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			rows := []deviceRow{{Name: "cpu", Description: fmt.Sprintf("%s, %d cores, %s kernels", local.CPU(), runtime.NumCPU(), kernels.ISA())}}
			gpus, err := cuda.Devices()
			for _, g := range gpus {
				rows = append(rows, deviceRow{Name: fmt.Sprintf("cuda:%d", g.Index), Description: g.Name, MemoryMiB: g.MemoryBytes >> 20, Capability: g.Capability})
			}
			why := ""
			if err != nil {
				why = err.Error()
			}
			if asJSON {
				return printJSON(a.stdout, map[string]any{"devices": rows, "no_gpu": why})
			}
			for _, r := range rows {
				fmt.Fprintf(a.stdout, "%-8s %s", r.Name, r.Description)
				if r.MemoryMiB > 0 {
					fmt.Fprintf(a.stdout, ", %d MiB, compute capability %s (listed only: the CUDA trainer is not built yet)", r.MemoryMiB, r.Capability)
				}
				fmt.Fprintln(a.stdout)
			}
			if why != "" {
				fmt.Fprintf(a.stdout, "no GPU: %s\n", why)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}
