package native

import (
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// keptFor is how long a kit waits for a run. Other processes can have its memory then: they cannot ask for it.
const keptFor = 10 * time.Second

// kits keeps what runs of a backend have made on GPUs for runs of the same key. Its memory stays reserved, and goes to whoever
// needs it: see cuda.Idle.
type kits struct {
	keeps time.Duration // what is idle, at most
	log   *slog.Logger
	shut  func(*gpuKit) error // (*gpuKit).close, but in tests

	mu      sync.Mutex
	idle    []*idleKit  // the longest idle first
	running map[int]int // runs, by GPU
	most    map[int]int // that ever ran at once, by GPU

	sized sync.Mutex
	sizes map[sizeKey]netSize
}

// idleKit is a kit with the time that it is kept for.
type idleKit struct {
	*gpuKit
	end *time.Timer
}

func newKits(log *slog.Logger) *kits {
	return &kits{keeps: keptFor, log: log, shut: (*gpuKit).close, running: map[int]int{}, most: map[int]int{}, sizes: map[sizeKey]netSize{}}
}

// began counts a run on a GPU.
func (k *kits) began(on int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.running[on]++
	k.most[on] = max(k.most[on], k.running[on])
}

func (k *kits) ended(on int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.running[on]--
}

// take finds a kit for a run of some key, which needs some room and makes so many changes to pictures: best one whose captured steps
// make as many, and of those the smallest. nil: there is none.
func (k *kits) take(key kitKey, room kitRoom, changes int) *gpuKit {
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		var best *idleKit
		for _, one := range k.idle {
			if one.key == key && one.serves(room) && (best == nil || better(one, best, changes)) {
				best = one
			}
		}
		if best == nil {
			return nil
		}
		k.remove(best.gpuKit)
		if best.gpuKit.idle.Take() {
			return best.gpuKit
		}
	}
}

func better(a, b *idleKit, changes int) bool {
	if fits, others := a.feed.makes(changes), b.feed.makes(changes); fits != others {
		return fits
	}
	return a.part.Bytes() <= b.part.Bytes()
}

// put keeps a kit on which nothing runs. Where more are idle than ever ran at once on that GPU the oldest is closed.
func (k *kits) put(kit *gpuKit) error {
	k.mu.Lock()
	on := kit.share.GPU.Index
	kit.idle = kit.share.Keep(func() {
		k.forget(kit)
		k.report(kit, k.shut(kit))
	})
	if kit.idle == nil {
		k.mu.Unlock()
		return kit.close()
	}
	k.idle = append(k.idle, &idleKit{kit, time.AfterFunc(k.keeps, func() { k.report(kit, k.end(kit)) })})
	var there []*gpuKit
	for _, one := range k.idle {
		if one.share.GPU.Index == on {
			there = append(there, one.gpuKit)
		}
	}
	excess := there[:max(0, len(there)-k.most[on])]
	k.mu.Unlock()
	for _, one := range excess {
		k.report(one, k.end(one))
	}
	return nil
}

// report logs what fails as a kit is closed that is no run's any more. Of a lost context whoever works there is told.
func (k *kits) report(kit *gpuKit, err error) {
	if err != nil && !errors.Is(err, cuda.ErrLost) {
		k.log.Warn("what an ended trial has left on a GPU was not given back in order", "gpu", kit.share.GPU.Index, "because", err)
	}
}

// end closes kits that are still idle.
func (k *kits) end(all ...*gpuKit) error {
	var errs []error
	for _, kit := range all {
		if kit.idle.Take() {
			k.forget(kit)
			errs = append(errs, k.shut(kit))
		}
	}
	return errors.Join(errs...)
}

func (k *kits) forget(kit *gpuKit) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.remove(kit)
}

func (k *kits) remove(kit *gpuKit) {
	if i := slices.IndexFunc(k.idle, func(one *idleKit) bool { return one.gpuKit == kit }); i >= 0 {
		k.idle[i].end.Stop()
		k.idle = slices.Delete(k.idle, i, i+1)
	}
}

// close closes all that is idle.
func (k *kits) close() error {
	k.mu.Lock()
	var all []*gpuKit
	for _, one := range k.idle {
		all = append(all, one.gpuKit)
	}
	k.mu.Unlock()
	return k.end(all...)
}

// Close gives back what the backend keeps on GPUs from one run for the next. Runs that begin later make it anew.
func (b *Backend) Close() error { return b.kits.close() }
