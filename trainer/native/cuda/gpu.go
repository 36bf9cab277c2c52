package cuda

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"
)

// Ptr is an address in device memory; 0 is none.
type Ptr uint64

// Add is the address so many bytes further on.
func (p Ptr) Add(bytes int64) Ptr { return p + Ptr(bytes) }

// Attribute is a property of a device, by the driver's number.
type Attribute int

// Attributes that are asked for here.
const (
	SharedPerBlock  Attribute = 97 // CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: bytes that a block may ask for
	Multiprocessors Attribute = 16 // CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT
	CapabilityMajor Attribute = 75 // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
	CapabilityMinor Attribute = 76 // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR
)

// GPU is a device with its primary context, which all of a process share. Its methods may be called from any goroutine.
type GPU struct {
	Index           int
	Multiprocessors int
	SharedPerBlock  int // bytes
	Capability      int // 10 major + minor, such as 90

	ctx     rawContext
	mu      sync.Mutex
	memory  *Stream // on which memory is taken from the pool and given back
	modules []*Module
	held    map[Ptr]int64
	pinned  map[*Pinned]bool

	losing sync.Once
	lost   chan struct{} // closed when it is known that the context is lost
}

// poolKeeps is how much freed memory the pool keeps, until it is trimmed: all. Otherwise each wait for a stream would give it back.
const poolKeeps = 1 << 62

// Open prepares the device of the given number. Where there is none, the error wraps ErrNone and says why.
func Open(index int) (*GPU, error) {
	devices, err := Devices()
	if err != nil {
		return nil, err
	}
	if index < 0 || index >= len(devices) {
		return nil, fmt.Errorf("%w of number %d: there are %d, counted from 0", ErrNone, index, len(devices))
	}
	ctx, err := retainContext(index)
	if err != nil {
		return nil, explain(fmt.Sprintf("open GPU %d", index), err)
	}
	g := &GPU{Index: index, ctx: ctx, held: map[Ptr]int64{}, pinned: map[*Pinned]bool{}, lost: make(chan struct{})}
	if err := g.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("open GPU %d: %w", index, err), g.Close())
	}
	return g, nil
}

func (g *GPU) prepare() error {
	var major, minor int
	for _, a := range []struct {
		of Attribute
		to *int
	}{{Multiprocessors, &g.Multiprocessors}, {SharedPerBlock, &g.SharedPerBlock}, {CapabilityMajor, &major}, {CapabilityMinor, &minor}} {
		v, err := attribute(g.Index, a.of)
		if err != nil {
			return explain("read attributes", err)
		}
		*a.to = v
	}
	g.Capability = 10*major + minor
	var err error
	if g.memory, err = g.NewStream(); err != nil {
		return err
	}
	return g.do("set memory pool", func() error {
		_ = keepPool(g.Index, poolKeeps) // devices without a pool allocate plainly
		return nil
	})
}

// do runs f on a thread on which the device's context is current.
func (g *GPU) do(what string, f func() error) error { return g.note(explain(what, within(g.ctx, f))) }

// note keeps in mind that the context is lost if an error says so.
func (g *GPU) note(err error) error {
	if errors.Is(err, ErrLost) {
		g.losing.Do(func() { close(g.lost) })
	}
	return err
}

// Lost is closed when some call has returned ErrLost.
func (g *GPU) Lost() <-chan struct{} { return g.lost }

func (g *GPU) isLost() bool {
	select {
	case <-g.lost:
		return true
	default:
		return false
	}
}

// Memory is the device's memory in bytes: what is free now, pooled memory of this process not counted, and all.
func (g *GPU) Memory() (free, total int64, err error) {
	err = g.do("ask for free memory", func() (err error) {
		free, total, err = memoryInfo()
		return err
	})
	return free, total, err
}

// Alloc takes zeroed memory from the device's pool. What the pool keeps in pieces of other sizes is given back where that helps.
// Where memory does not suffice, the error wraps ErrMemory and says how much there was.
func (g *GPU) Alloc(bytes int64) (Ptr, error) {
	var p Ptr
	err := g.do(fmt.Sprintf("allocate %d bytes", bytes), func() (err error) {
		if p, err = allocate(max(bytes, 1), g.memory.raw); errors.Is(err, errMemory) {
			_ = errors.Join(synchronize(g.memory.raw), trimPool(g.Index)) // where that fails so does what follows
			p, err = allocate(max(bytes, 1), g.memory.raw)
		}
		if err != nil {
			return err
		}
		if err = fill(p, 0, max(bytes, 1), g.memory.raw); err != nil {
			return err
		}
		return synchronize(g.memory.raw)
	})
	if err != nil {
		if errors.Is(err, ErrMemory) {
			if free, total, e := g.Memory(); e == nil {
				err = fmt.Errorf("%w: GPU %d has %d MiB free of %d, and %d MiB are needed", err, g.Index, free>>20, total>>20, bytes>>20)
			}
		}
		return 0, err
	}
	g.mu.Lock()
	g.held[p] = bytes
	g.mu.Unlock()
	return p, nil
}

// Free gives memory of Alloc back. No work that uses it may be under way. Freeing 0 does nothing.
func (g *GPU) Free(p Ptr) error {
	if p == 0 {
		return nil
	}
	g.mu.Lock()
	delete(g.held, p)
	g.mu.Unlock()
	return g.do("free memory", func() error { return release(p, g.memory.raw) })
}

// Trim gives memory that was freed back to the device, where other processes can have it.
func (g *GPU) Trim() error {
	return errors.Join(g.memory.Wait(), g.do("empty the memory pool", func() error {
		_ = trimPool(g.Index) // devices without a pool have nothing to give
		return nil
	}))
}

// Held is the number of bytes that Alloc has given out and Free has not taken back.
func (g *GPU) Held() (bytes int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, n := range g.held {
		bytes += n
	}
	return bytes
}

// Close frees modules, the pool and this process's hold of the context. Streams, graphs and memory must be gone before. A
// context that is lost is reset, after which the device can be opened anew; nothing of the process may use it meanwhile.
func (g *GPU) Close() error {
	if g.isLost() {
		return errors.Join(explain("reset GPU", resetContext(g.Index)), explain("release GPU", releaseContext(g.Index)))
	}
	var errs []error
	for _, m := range g.modules {
		errs = append(errs, g.do("unload module", func() error { return unloadModule(m.raw) }))
	}
	if g.memory != nil {
		errs = append(errs, g.Trim(), g.memory.Close())
	}
	return errors.Join(append(errs, explain("release GPU", releaseContext(g.Index)))...)
}

// Pinned is host memory that the device reads and writes itself. Bytes is valid until Close.
type Pinned struct {
	Bytes []byte
	Ptr   Ptr // the same memory in kernels

	gpu  *GPU
	host unsafe.Pointer
}

// NewPinned takes pinned memory, zeroed.
func (g *GPU) NewPinned(bytes int) (*Pinned, error) {
	p := &Pinned{gpu: g}
	err := g.do(fmt.Sprintf("pin %d bytes of host memory", bytes), func() (err error) {
		p.host, p.Ptr, err = hostAlloc(max(bytes, 1))
		return err
	})
	if err != nil {
		return nil, err
	}
	p.Bytes = unsafe.Slice((*byte)(p.host), max(bytes, 1))[:bytes]
	clear(p.Bytes)
	g.mu.Lock()
	g.pinned[p] = true
	g.mu.Unlock()
	return p, nil
}

// pins tells whether host memory is pinned: it is not Go's, and lives until it is closed.
func (g *GPU) pins(memory []byte) bool {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(memory)))
	g.mu.Lock()
	defer g.mu.Unlock()
	for p := range g.pinned {
		if start := uintptr(p.host); at >= start && at < start+uintptr(len(p.Bytes)) {
			return true
		}
	}
	return false
}

// Close frees the memory. A nil Pinned closes.
func (p *Pinned) Close() error {
	if p == nil || p.host == nil {
		return nil
	}
	p.gpu.mu.Lock()
	delete(p.gpu.pinned, p)
	host := p.host
	p.host, p.Bytes = nil, nil
	p.gpu.mu.Unlock()
	return p.gpu.do("free pinned memory", func() error { return hostFree(host) })
}
