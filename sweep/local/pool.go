package local

import (
	"context"
	"fmt"
	"runtime"
	"sync"
)

// Lease is what one trial may use while it runs.
type Lease struct {
	Slot    int      // from 0; no two leases of one pool hold the same slot at once
	Threads int      // cores, at least 1
	Devices []string // "cpu" or "cuda:0"
}

// Pool hands out a fixed number of leases.
type Pool struct {
	slots chan Lease
	size  int
}

// NewPool makes parallel slots of threads cores each. parallel 0 means one per
// core, or one per device if there are several; threads 0 shares the cores out
// evenly. Slots take the devices in turn; no devices means "cpu".
func NewPool(parallel, threads int, devices []string) (*Pool, error) {
	if parallel < 0 || threads < 0 {
		return nil, fmt.Errorf("make pool: %d trials at once with %d cores each: neither may be negative", parallel, threads)
	}
	cores := runtime.GOMAXPROCS(0)
	if len(devices) == 0 {
		devices = []string{"cpu"}
	}
	if parallel == 0 {
		parallel = cores
		if devices[0] != "cpu" {
			parallel = len(devices)
		}
	}
	if threads == 0 {
		threads = max(1, cores/parallel)
	}
	p := &Pool{slots: make(chan Lease, parallel), size: parallel}
	for i := range parallel {
		p.slots <- Lease{Slot: i, Threads: threads, Devices: []string{devices[i%len(devices)]}}
	}
	return p, nil
}

// Size is the number of leases.
func (p *Pool) Size() int { return p.size }

// Acquire waits for a free slot. release gives it back; calling it again does nothing.
func (p *Pool) Acquire(ctx context.Context) (l Lease, release func(), err error) {
	select {
	case l = <-p.slots:
		return l, sync.OnceFunc(func() { p.slots <- l }), nil
	case <-ctx.Done():
		return Lease{}, nil, context.Cause(ctx)
	}
}
