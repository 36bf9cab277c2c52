package cuda

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"unsafe"
)

// Launch is one piece of work for a stream: a start of a kernel, or a call of another library.
type Launch struct {
	Kernel      string // its name, or the call's
	Grid, Block [3]int // x, y, z; 0 stands for 1
	Shared      int    // bytes of dynamic shared memory of a block
	Args        []byte // the kernel's one argument, a struct

	Call func(*Stream) error // in place of a kernel: puts the library's work into the stream

	// In a capture, Beside starts a launch after all before it that are not Beside, in order with the others that are, and
	// beside all that come later, until one that is Joined: that waits for them. Elsewhere launches follow each other.
	Beside, Joined bool
}

// Args are the bytes of a kernel's argument. T is a struct of fixed size without Go pointers, laid out as in C: fields of
// 8 bytes at multiples of 8.
func Args[T any](v T) []byte {
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&v)), unsafe.Sizeof(v))...)
}

// Module is a set of kernels on a device. Its methods may be called from any goroutine.
type Module struct {
	gpu   *GPU
	raw   rawModule
	mu    sync.Mutex
	funcs map[string]*function
}

// function is a kernel that was looked up.
type function struct {
	raw    rawFunc
	waits  bool // its code waits for the kernel before it, where that may still be at work (Dependent)
	shared int  // bytes of dynamic shared memory that its blocks may ask for; guarded by the module
}

// Load puts a fatbin, cubin or PTX on the device. It is unloaded with the device.
func (g *GPU) Load(image []byte) (*Module, error) {
	m := &Module{gpu: g, funcs: map[string]*function{}}
	if err := g.do("load kernels", func() (err error) { m.raw, err = loadModule(image); return err }); err != nil {
		if slices.ContainsFunc(unfit, func(e error) bool { return errors.Is(err, e) }) {
			return nil, fmt.Errorf("%w: the kernels are made for compute capability 8.0 and later and a driver of CUDA 13; GPU %d has %d.%d", err, g.Index, g.Capability/10, g.Capability%10)
		}
		return nil, err
	}
	g.mu.Lock()
	g.modules = append(g.modules, m)
	g.mu.Unlock()
	return m, nil
}

// find looks a kernel up and allows its blocks so much dynamic shared memory. The driver allows 48 KiB together with what the
// kernel declares itself, unless asked. What was allowed stays: launches of other goroutines, and graphs, count on it.
func (m *Module) find(kernel string, shared int) (*function, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.funcs[kernel]
	if f == nil {
		raw, err := moduleFunc(m.raw, kernel)
		if err != nil {
			return nil, err
		}
		f = &function{raw: raw}
		if m.gpu.Capability >= firstDependent {
			version, err := ptxVersion(raw)
			f.waits = err == nil && version >= firstDependent // code of earlier PTX has no such instruction
		}
		m.funcs[kernel] = f
	}
	if shared > f.shared {
		if err := setSharedLimit(f.raw, shared); err != nil {
			return nil, err
		}
		f.shared = shared
	}
	return f, nil
}

// Ready looks kernels up and allows them their shared memory, so that nothing but launches remains to be done in a capture.
func (m *Module) Ready(launches ...Launch) error {
	return m.each(launches, func(*function, *Launch) error { return nil })
}

// Run puts launches of the module's kernels, and calls of other libraries, into a stream, in order.
func (m *Module) Run(s *Stream, launches ...Launch) error {
	c := chain{asked: Dependent(m.gpu.Capability)}
	return m.each(launches, func(f *function, l *Launch) error {
		dependent := c.next(f)
		if l.Call != nil {
			return l.Call(s)
		}
		return launch(f.raw, l, s.raw, dependent)
	})
}

// Capture records launches, made ready before, with what may run beside them.
func (m *Module) Capture(s *Stream, launches ...Launch) (*Captured, error) {
	if err := m.Ready(launches...); err != nil {
		return nil, err
	}
	f, err := m.fork(s)
	if err != nil {
		return nil, err
	}
	c, err := s.Capture(func() error { return f.record(launches) })
	if err := f.close(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, err
}

// fork is a second stream in the capture of a first.
type fork struct {
	module       *Module
	main, beside *Stream
	there, back  *Event // where the second begins, and where the first waits for it
}

func (m *Module) fork(s *Stream) (f *fork, err error) {
	f = &fork{module: m, main: s}
	if f.beside, err = m.gpu.NewStream(); err != nil {
		return nil, err
	}
	if f.there, err = m.gpu.NewEvent(false); err == nil {
		f.back, err = m.gpu.NewEvent(false)
	}
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (f *fork) close() error {
	errs := []error{f.beside.Close()}
	for _, e := range []*Event{f.there, f.back} {
		if e != nil {
			errs = append(errs, e.Close())
		}
	}
	return errors.Join(errs...)
}

// record puts launches into the two streams.
func (f *fork) record(launches []Launch) error {
	open := false // there is something beside
	for len(launches) > 0 {
		beside, n := launches[0].Beside, 1
		for n < len(launches) && launches[n].Beside == beside && !launches[n].Joined {
			n++
		}
		s := f.main
		switch {
		case beside:
			s, open = f.beside, true
			if err := errors.Join(f.there.Record(f.main), f.beside.After(f.there)); err != nil {
				return err
			}
		case launches[0].Joined && open:
			if err := f.join(); err != nil {
				return err
			}
			open = false
		}
		if err := f.module.Run(s, launches[:n]...); err != nil {
			return err
		}
		launches = launches[n:]
	}
	if open {
		return f.join()
	}
	return nil
}

func (f *fork) join() error { return errors.Join(f.back.Record(f.beside), f.main.After(f.back)) }

// each calls f with each launch and its kernel, nil where it has none, on a thread on which the device's context is current.
func (m *Module) each(launches []Launch, f func(*function, *Launch) error) error {
	var what string
	err := within(m.gpu.ctx, func() error {
		for i := range launches {
			l := &launches[i]
			what = l.Kernel
			var kernel *function
			var err error
			if l.Call == nil {
				kernel, err = m.find(l.Kernel, l.Shared)
			}
			if err == nil {
				err = f(kernel, l)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return m.gpu.note(explain("launch kernel "+what, err))
}
