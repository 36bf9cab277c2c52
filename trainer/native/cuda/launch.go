package cuda

import (
	"fmt"
	"strings"
	"sync"
	"unsafe"
)

// Launch is one start of a kernel.
type Launch struct {
	Kernel      string
	Grid, Block [3]int // x, y, z; 0 stands for 1
	Shared      int    // bytes of dynamic shared memory of a block
	Args        []byte // the kernel's one argument, a struct
}

// Args are the bytes of a kernel's argument. T is a struct of fixed size without Go pointers, laid out as in C: fields of
// 8 bytes at multiples of 8.
func Args[T any](v T) []byte {
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&v)), unsafe.Sizeof(v))...)
}

// Module is a set of kernels on a device.
type Module struct {
	gpu   *GPU
	raw   rawModule
	mu    sync.Mutex
	funcs map[string]rawFunc
}

// sharedWithoutAsking is the dynamic shared memory, in bytes, that a kernel may use without being told so before.
const sharedWithoutAsking = 48 << 10

// Load puts a fatbin, cubin or PTX on the device. It is unloaded with the device.
func (g *GPU) Load(image []byte) (*Module, error) {
	m := &Module{gpu: g, funcs: map[string]rawFunc{}}
	if err := g.do("load kernels", func() (err error) { m.raw, err = loadModule(image); return err }); err != nil {
		if strings.Contains(err.Error(), "NoBinaryForGpu") || strings.Contains(err.Error(), "InvalidPtx") {
			return nil, fmt.Errorf("%w: the kernels are made for compute capability 8.0 and later and a driver of CUDA 13; GPU %d has %d.%d", err, g.Index, g.Capability/10, g.Capability%10)
		}
		return nil, err
	}
	g.mu.Lock()
	g.modules = append(g.modules, m)
	g.mu.Unlock()
	return m, nil
}

// find looks a kernel up and allows it all shared memory that a block may have.
func (m *Module) find(kernel string) (rawFunc, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.funcs[kernel]
	if ok {
		return f, nil
	}
	f, err := moduleFunc(m.raw, kernel)
	if err != nil {
		return f, err
	}
	m.funcs[kernel] = f
	return f, nil
}

// Run puts launches of the module's kernels into a stream, in order.
func (m *Module) Run(s *Stream, launches ...Launch) error {
	var what string
	err := within(m.gpu.ctx, func() error {
		for i := range launches {
			l := &launches[i]
			what = l.Kernel
			f, err := m.find(l.Kernel)
			if err != nil {
				return err
			}
			if l.Shared > sharedWithoutAsking {
				if err := setSharedLimit(f, l.Shared); err != nil {
					return err
				}
			}
			if err := launch(f, l, s.raw); err != nil {
				return err
			}
		}
		return nil
	})
	return m.gpu.note(explain("launch kernel "+what, err))
}
