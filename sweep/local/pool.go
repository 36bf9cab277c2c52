package local

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/mapsweep/mapsweep/trainer/telemetry"
)

// Lease is what one trial may use while it runs.
type Lease struct {
	Slot    int      // from 0; no two leases of one pool hold the same slot at once
	Threads int      // cores, at least 1
	Devices []string // "cpu", or GPUs such as "cuda:0"
	// GPUs are the devices as they were when they were leased; empty for the CPU.
	GPUs  []telemetry.GPU
	Alone Alone // what it was asked to share with nobody
}

// Alone says what a lease shares with no other lease, of this process or of another.
type Alone int

// The kinds of leases.
const (
	Shared       Alone = iota // GPUs only where packing allows, the machine always
	AloneOnGPU                // the GPUs with the most free memory; for the CPU no different from Shared
	AloneOnHost               // the whole machine
	numberAlones = iota
)

// String names it.
func (a Alone) String() string {
	return [numberAlones]string{"shared", "alone on its GPU", "alone on the machine"}[a]
}

// Pool hands out leases. Its methods may be called from several goroutines.
type Pool struct {
	slots   chan int
	begin   int
	threads int
	host    machine
	gpus    *gpus // nil: the CPU
}

// The most trials on one GPU: where the study says how many trials run at once, and where it does not.
const (
	maxPack     = 16
	defaultPack = 4
)

// NewPool makes a pool for so many trials at once, of threads cores each. parallel 0 means one per
// core, or one per GPU (or set of GPUs) if there are any, and with packing up to four on each; threads 0 shares the cores out
// evenly. The error wraps trainer.ErrNoDevice where a device that is asked for is not there.
func NewPool(parallel, threads int, d Devices, log *slog.Logger) (*Pool, error) {
	if parallel < 0 || threads < 0 {
		return nil, fmt.Errorf("make pool: %d trials at once with %d cores each: neither may be negative", parallel, threads)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	list, err := d.list()
	if err != nil {
		return nil, fmt.Errorf("make pool: %w", err)
	}
	cores := runtime.GOMAXPROCS(0)
	p := &Pool{threads: threads}
	locks := newLocks(d.Dir)
	p.host = machine{locks}
	size := parallel
	if len(list) == 0 {
		if size == 0 {
			size = cores
		}
		p.begin = size
	} else {
		per := max(1, d.PerTrial)
		d.Pack = d.Pack && per == 1 // processes of one trial on several GPUs wait for each other: they share with nobody
		sets := len(list) / per
		most := sets
		if d.Pack && parallel == 0 {
			most = sets * defaultPack
		} else if d.Pack {
			most = sets * maxPack
		}
		if size == 0 || size > most {
			size = most
		}
		p.begin = min(size, sets)
		p.gpus = newGPUs(list, per, d, locks, (size+sets-1)/sets, log)
	}
	if p.threads == 0 {
		p.threads = Share(p.begin)
	}
	p.slots = make(chan int, size)
	for i := range size {
		p.slots <- i
	}
	return p, nil
}

// Share is the number of cores of each of so many trials at once, where cores are shared out evenly.
func Share(trials int) int { return max(1, runtime.GOMAXPROCS(0)/max(1, trials)) }

// Size is the most leases at once.
func (p *Pool) Size() int { return cap(p.slots) }

// Begin is the number of leases at once before anything is known of the memory that a trial needs.
func (p *Pool) Begin() int { return p.begin }

// GPUs are the devices that the pool leases, as they were when it was made; empty for the CPU.
func (p *Pool) GPUs() []telemetry.GPU {
	if p.gpus == nil {
		return nil
	}
	return p.gpus.list
}

// Learn says how much GPU memory a trial of this pool was measured to need, at its most. From then on trials are
// packed, if the pool may pack.
func (p *Pool) Learn(peakMiB int64) {
	if p.gpus != nil {
		p.gpus.learn(peakMiB)
	}
}

// Acquire waits until a lease can be had. release gives it back; calling it again does nothing. The
// error is the context's cause, or that of a lock folder that does not work.
func (p *Pool) Acquire(ctx context.Context, how Alone) (l Lease, release func(), err error) {
	var undo []func()
	release = sync.OnceFunc(func() {
		for i := len(undo) - 1; i >= 0; i-- {
			undo[i]()
		}
	})
	defer func() {
		if err != nil {
			release()
			l, release = Lease{}, nil
		}
	}()
	select {
	case slot := <-p.slots:
		undo = append(undo, func() { p.slots <- slot })
		l = Lease{Slot: slot, Threads: p.threads, Devices: []string{"cpu"}, Alone: how}
	case <-ctx.Done():
		return l, release, context.Cause(ctx)
	}
	if p.gpus != nil {
		gpus, back, err := p.gpus.acquire(ctx, how != Shared)
		if err != nil {
			return l, release, err
		}
		undo = append(undo, back)
		l.GPUs, l.Devices = gpus, nil
		for _, g := range gpus {
			l.Devices = append(l.Devices, g.Device())
		}
	}
	// Last, so that who waits for the machine has all else that it needs, and who waits for a GPU keeps nobody off it.
	host, err := p.host.enter(ctx, how == AloneOnHost)
	if err != nil {
		return l, release, err
	}
	undo = append(undo, host)
	return l, release, nil
}

// machine is shared by all leases but one that wants it alone.
type machine struct{ locks *locks }

// enter waits for the machine. Whoever wants it alone lets nobody in meanwhile.
func (m machine) enter(ctx context.Context, alone bool) (leave func(), err error) {
	gate, err := m.wait(ctx, "machine.gate", false)
	if err != nil {
		return nil, err
	}
	defer gate.release()
	k, err := m.wait(ctx, "machine", !alone)
	if err != nil {
		return nil, err
	}
	return k.release, nil
}

func (m machine) wait(ctx context.Context, name string, shared bool) (*lock, error) {
	for pause := time.Millisecond; ; pause = min(2*pause, pollEvery) {
		k, err := m.locks.try(name, shared)
		if err != errHeld {
			return k, err
		}
		if err := sleep(ctx, pause, nil); err != nil {
			return nil, err
		}
	}
}

// pollEvery is the longest time between two looks at what others hold.
const pollEvery = 200 * time.Millisecond

// sleep waits for a time, for a wake-up, or for the end of ctx, which is an error.
func sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-wake:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}
