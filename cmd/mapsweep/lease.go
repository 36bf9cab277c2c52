package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep/local"
)

// quietly is how long a command waits for a GPU before it says so.
const quietly = time.Second

// contextMiB is what a process takes of a GPU before it has put anything there: CUDA's context and the kernels.
const contextMiB = 512

// lease takes what a command beside studies computes on, as a trial of a study does: GPUs that no other mapsweep process has,
// or, where it is known how many MiB the command will take, room on one. It waits for those who have them, and says for whom.
// On the CPU there is nothing to lease, and devices is nil.
func (a *app) lease(ctx context.Context, t studies.Trainer, mib int64) (devices []string, release func(), err error) {
	h, err := findHardware(studies.Spec{Trainer: t})
	if err != nil || len(h.gpus) == 0 {
		return nil, func() {}, err
	}
	h.devices.Want, h.devices.PerTrial = t.Device, t.GPUs
	beside := 1
	if mib > 0 { // room for as many as may be on a GPU
		beside = 1 << 10
	}
	pool, err := local.NewPool(beside, 0, h.devices, slog.New(lineLog{w: a.notes}))
	if err != nil {
		return nil, nil, err
	}
	if mib > 0 {
		pool.Learn(mib + contextMiB)
	}
	waits := time.AfterFunc(quietly, func() { fmt.Fprintf(a.notes, "waiting for a GPU: %s\n", h.busy()) })
	defer waits.Stop()
	l, release, err := pool.Acquire(ctx, local.Shared)
	return l.Devices, release, err
}

// busy says who has the GPUs.
func (h hardware) busy() string {
	var all []string
	for _, g := range h.gpus {
		var by []string
		for _, c := range local.Leases(h.devices.Dir, g.UUID) {
			by = append(by, fmt.Sprintf("mapsweep process %d", c.PID))
		}
		if len(by) == 0 {
			by = []string{"nobody of mapsweep, and its memory is not free yet"}
		}
		all = append(all, g.Device()+" is leased by "+strings.Join(by, ", "))
	}
	return strings.Join(all, "; ")
}
