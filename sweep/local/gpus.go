package local

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mapsweep/mapsweep/trainer/telemetry"
)

// The arithmetic of packing: k trials share a GPU while k x peak x margin + reserve <= total.
const (
	margin     = 1.1 // a trial may need a tenth more than the one that was measured
	reserveMiB = 512 // for the driver and what else holds a little
	slackMiB   = 512 // memory above the lowest level seen that counts as given back
	foreignMiB = 1024
)

// settleTime is the default of Devices.Settle.
const settleTime = 15 * time.Second

// claim is what a lease notes in its lock file, so that other processes can count with it.
type claim struct {
	PID   int   `json:"pid"`
	MiB   int64 `json:"mib"`   // memory that it expects to need; 0: not known, so it has the device for itself
	Alone bool  `json:"alone"` // it must have the device for itself
}

func (c claim) whole() bool { return c.Alone || c.MiB <= 0 }

// gpus leases the devices of a pool.
type gpus struct {
	list   []telemetry.GPU
	per    int
	want   Devices
	locks  *locks
	pack   int // most leases on one device
	settle time.Duration
	log    *slog.Logger

	turn  chan struct{} // held by the one waiter that asks for shared leases
	freed chan struct{} // wakes a waiter

	mu     sync.Mutex
	peak   int64
	state  map[string]*state // by UUID
	warned map[string]bool
}

// state is what was seen of a device while nobody leased it.
type state struct {
	lowest int64     // least MiB in use, -1 before the first look
	used   bool      // leased at some time while this pool looked
	free   time.Time // when it was first seen without lease after that
}

func newGPUs(list []telemetry.GPU, per int, d Devices, l *locks, pack int, log *slog.Logger) *gpus {
	g := &gpus{list: list, per: per, want: d, locks: l, pack: max(1, min(pack, maxPack)), settle: d.Settle, log: log,
		turn: make(chan struct{}, 1), freed: make(chan struct{}, 1), state: map[string]*state{}, warned: map[string]bool{}}
	if !d.Pack {
		g.pack = 1
	}
	if g.settle <= 0 {
		g.settle = settleTime
	}
	for _, dev := range list {
		g.state[dev.UUID] = &state{lowest: -1}
	}
	return g
}

func (g *gpus) learn(peak int64) {
	g.mu.Lock()
	g.peak = max(g.peak, peak)
	g.mu.Unlock()
	g.wake()
}

func (g *gpus) wake() {
	select {
	case g.freed <- struct{}{}:
	default:
	}
}

// acquire waits for a set of devices.
func (g *gpus) acquire(ctx context.Context, alone bool) ([]telemetry.GPU, func(), error) {
	if alone {
		return g.acquireAlone(ctx)
	}
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, pollEvery) {
		now, err := g.look()
		if err != nil {
			return nil, nil, err
		}
		got, back, err := g.take(now, claim{PID: os.Getpid(), MiB: g.expects()}, nil)
		if err != nil || len(got) > 0 {
			return got, back, err
		}
		if err := sleep(ctx, pause, g.freed); err != nil {
			return nil, nil, err
		}
	}
}

// acquireAlone waits for the devices with the most free memory, and keeps newcomers off those that it waits for.
func (g *gpus) acquireAlone(ctx context.Context) ([]telemetry.GPU, func(), error) {
	gates := map[string]*lock{}
	defer func() {
		for _, k := range gates {
			k.release()
		}
	}()
	for {
		now, err := g.look()
		if err != nil {
			return nil, nil, err
		}
		got, back, err := g.take(now, claim{PID: os.Getpid(), MiB: g.expects(), Alone: true}, gates)
		if err != nil || len(got) > 0 {
			return got, back, err
		}
		if err := g.shut(now, gates); err != nil {
			return nil, nil, err
		}
		if err := sleep(ctx, pollEvery/4, nil); err != nil {
			return nil, nil, err
		}
	}
}

// shut closes the gates of the devices that an alone lease waits for: the first of now, in the order of their
// numbers and none before the ones in front of it, so that two who wait cannot wait for each other.
func (g *gpus) shut(now []seen, gates map[string]*lock) error {
	if len(gates) == g.per { // the choice stands: changing it would let newcomers in
		return nil
	}
	targets := slices.Clone(now[:g.per])
	slices.SortFunc(targets, func(a, b seen) int { return cmp.Compare(a.UUID, b.UUID) })
	for uuid, k := range gates {
		if !slices.ContainsFunc(targets, func(s seen) bool { return s.UUID == uuid }) {
			k.release()
			delete(gates, uuid)
		}
	}
	for _, s := range targets {
		if gates[s.UUID] != nil {
			continue
		}
		k, err := g.locks.try(gateName(s.UUID), false)
		if err == errHeld {
			return nil
		}
		if err != nil {
			return err
		}
		gates[s.UUID] = k
	}
	return nil
}

// expects is the memory that a trial is taken to need; 0: not known, or not to be packed.
func (g *gpus) expects() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pack <= 1 {
		return 0
	}
	return g.peak
}

// seen is a device as it is now.
type seen struct {
	telemetry.GPU
	holders int
	foreign bool // a program that is no trial of ours uses it
}

// look lists the pool's devices as they are, those with the most free memory first.
func (g *gpus) look() ([]seen, error) {
	all, err := g.want.GPUs()
	if err != nil {
		return nil, fmt.Errorf("look at GPUs: %w", err)
	}
	var now []seen
	for _, dev := range g.list {
		i := slices.IndexFunc(all, func(o telemetry.GPU) bool { return o.UUID == dev.UUID })
		if i < 0 {
			g.warn("gone"+dev.UUID, "GPU is gone, trials go on without it", "device", dev.Device())
			continue
		}
		now = append(now, seen{GPU: all[i]})
	}
	if len(now) < g.per {
		return nil, fmt.Errorf("look at GPUs: only %d of the %d that a trial needs are left", len(now), g.per)
	}
	slices.SortStableFunc(now, func(a, b seen) int { return cmp.Compare(b.FreeMiB, a.FreeMiB) })
	return now, nil
}

func (g *gpus) warn(key, text string, args ...any) {
	g.mu.Lock()
	first := !g.warned[key]
	g.warned[key] = true
	g.mu.Unlock()
	if first {
		g.log.Warn(text, args...)
	}
}

// take leases a set of devices out of now, those with the fewest leases first, or nothing. Gates that the caller holds count as open to it.
func (g *gpus) take(now []seen, c claim, gates map[string]*lock) ([]telemetry.GPU, func(), error) {
	type got struct {
		dev telemetry.GPU
		k   *lock
	}
	var have []got
	back := func() {
		for _, h := range have {
			h.k.release()
		}
	}
	candidates, err := g.candidates(now)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range candidates {
		if len(have) == g.per {
			break
		}
		k, err := g.one(s.GPU, c, gates[s.UUID])
		if err == errHeld {
			continue
		}
		if err != nil {
			back()
			return nil, nil, err
		}
		have = append(have, got{s.GPU, k})
	}
	if len(have) < g.per {
		back()
		return nil, nil, nil
	}
	slices.SortFunc(have, func(a, b got) int { return a.dev.Index - b.dev.Index })
	var list []telemetry.GPU
	for _, h := range have {
		list = append(list, h.dev)
	}
	return list, sync.OnceFunc(func() {
		for _, h := range have {
			g.giveBack(h.dev, h.k)
		}
	}), nil
}

// giveBack ends a lease of one device.
func (g *gpus) giveBack(dev telemetry.GPU, k *lock) {
	_ = k.write(nil) // an error leaves a claim that nobody holds, which is what a killed process leaves
	k.release()
	g.mu.Lock()
	s := g.state[dev.UUID]
	s.used, s.free = true, time.Time{}
	g.mu.Unlock()
	g.wake()
}

// candidates leaves out devices whose memory is still being given back, and, unless the study names its devices,
// those that other programs use as long as there are others in the pool.
func (g *gpus) candidates(now []seen) ([]seen, error) {
	var ready []seen
	clean := 0 // devices that no other program uses, leased or not
	for _, s := range now {
		holders, died, err := g.holders(s.UUID)
		if err != nil {
			return nil, err
		}
		if s.holders = len(holders); s.holders > 0 {
			clean++
			g.mark(s.UUID)
			ready = append(ready, s)
			continue
		}
		settled, foreign := g.settled(s.GPU, died)
		s.foreign = foreign
		if !foreign {
			clean++
		}
		if settled {
			ready = append(ready, s)
		}
	}
	slices.SortStableFunc(ready, func(a, b seen) int { return cmp.Compare(a.holders, b.holders) })
	if named := strings.Contains(g.want.Want, ":"); named || clean < g.per {
		return ready, nil
	}
	return slices.DeleteFunc(ready, func(s seen) bool {
		if s.foreign {
			g.warn("foreign"+s.UUID, "GPU is used by another program and left alone", "device", s.Device(), "used MiB", s.UsedMiB())
		}
		return s.foreign
	}), nil
}

// mark notes that somebody leases a device.
func (g *gpus) mark(uuid string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state[uuid].used, g.state[uuid].free = true, time.Time{}
}

// settled judges a device that nobody leases: whether the memory of earlier trials is given back, or was waited for
// long enough, and whether what is in use now must be another program's. died says that a holder left without a word.
func (g *gpus) settled(dev telemetry.GPU, died bool) (settled, foreign bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.state[dev.UUID]
	used := dev.UsedMiB()
	busy := len(dev.Processes) > 0 || used > max(foreignMiB, dev.TotalMiB/10)
	if died || s.used { // somebody's trial ended here: is its memory back?
		back := !busy || s.lowest >= 0 && used <= s.lowest+slackMiB
		if s.free.IsZero() {
			s.free = time.Now()
		}
		if !back {
			return time.Since(s.free) >= g.settle, true
		}
		s.used = false
	}
	if s.lowest < 0 || used < s.lowest {
		s.lowest = used
	}
	return true, busy
}

func gateName(uuid string) string { return uuid + ".gate" }

func slotName(uuid string, i int) string { return fmt.Sprintf("%s.slot-%d", uuid, i) }

// holders reads the claims on a device. died: a slot has a claim that nobody holds, so that its process was killed.
func (g *gpus) holders(uuid string) (list []claim, died bool, err error) {
	for i := range maxPack {
		name := slotName(uuid, i)
		if !g.locks.exists(name) {
			continue
		}
		k, err := g.locks.try(name, true) // shared: two who look must not take each other for holders
		note := g.locks.read(name)
		switch {
		case err == errHeld:
			c := claim{Alone: true} // a holder that has not written yet may want all of it
			_ = json.Unmarshal(note, &c)
			list = append(list, c)
		case err != nil:
			return nil, false, err
		default:
			k.release()
			died = died || len(note) > 0
		}
	}
	return list, died, nil
}

// one leases one device, or returns errHeld. gate is its gate if the caller holds it already.
func (g *gpus) one(dev telemetry.GPU, c claim, gate *lock) (*lock, error) {
	if gate == nil {
		var err error
		if gate, err = g.locks.try(gateName(dev.UUID), false); err != nil {
			return nil, err
		}
		defer gate.release()
	}
	holders, _, err := g.holders(dev.UUID)
	if err != nil {
		return nil, err
	}
	if !g.fits(dev, c, holders) {
		return nil, errHeld
	}
	note, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("write lock: %w", err)
	}
	for i := range maxPack {
		k, err := g.locks.try(slotName(dev.UUID, i), false)
		if err == errHeld {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := k.write(note); err != nil {
			k.release()
			return nil, err
		}
		return k, nil
	}
	return nil, errHeld
}

// fits says whether a claim can join the holders of a device.
func (g *gpus) fits(dev telemetry.GPU, c claim, holders []claim) bool {
	if len(holders) == 0 {
		return true
	}
	if c.whole() || len(holders) >= g.pack {
		return false
	}
	sum := c.MiB
	for _, h := range holders {
		if h.whole() {
			return false
		}
		sum += h.MiB
	}
	return float64(sum)*margin+reserveMiB <= float64(dev.TotalMiB) &&
		float64(c.MiB)*margin+reserveMiB <= float64(dev.FreeMiB)
}

// Claim is a lease of a device as other processes see it.
type Claim struct {
	PID   int   // of the mapsweep process
	MiB   int64 // what its trial is taken to need; 0: not known
	Alone bool
}

// Leases lists the leases that processes with that folder of locks hold on a device.
func Leases(dir, uuid string) []Claim {
	if dir == "" {
		return nil
	}
	g := gpus{locks: newLocks(dir)}
	list, _, err := g.holders(uuid)
	if err != nil {
		return nil
	}
	var all []Claim
	for _, c := range list {
		all = append(all, Claim(c))
	}
	return all
}
