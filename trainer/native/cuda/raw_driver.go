//go:build linux && cgo && (amd64 || arm64)

package cuda

/*
#include "dependent.h"
#include "extend.h"
*/
import "C"

import (
	"errors"
	"runtime"
	"unsafe"

	"gorgonia.org/cu"
)

// Handles of the driver. Those of cu hold one pointer each, which raw takes out for the functions that cu lacks.
type (
	rawContext = cu.CUContext
	rawStream  = cu.Stream
	rawEvent   = cu.Event
	rawModule  = cu.Module
	rawFunc    = cu.Function
	rawGraph   struct{ graph, exec C.uintptr_t }
)

var (
	errMemory = error(cu.OutOfMemory)
	errBusy   = error(cu.NotReady)
)

func handle[T any](h T) C.uintptr_t { return C.uintptr_t(*(*uintptr)(unsafe.Pointer(&h))) }

// notSupported is what the functions of extend.h return where the driver lacks one.
const notSupported = C.int(cu.NotSupported)

// status is a result of the driver as an error of cu's type, so that all of them compare alike.
func status(code C.int) error {
	if code == 0 {
		return nil
	}
	return like(cu.Success, int(code))
}

// like is code in the type of the example, whose name cu keeps to itself.
func like[T ~int](_ T, code int) T { return T(code) }

// fatal are the results after which nothing works in a context any more; the driver's documentation says of each that the
// process must end, or the context be made anew. .ci/cuda-headers.sh holds that none is missing.
var fatal = []error{cu.IllegalAddress, cu.LaunchTimeout, cu.HardwareStackError, cu.IllegalInstruction, cu.MisalignedAddress,
	cu.InvalidAddressSpace, cu.InvalidPc, cu.LaunchFailed, cu.Assert, cu.EccUncorrectable, cu.NvlinkUncorrectable, cu.ContextIsDestroyed, cu.Unknown,
	status(contained), status(tensorMemoryLeak), status(mpsClientEnded)}

// unfit are the results of loading kernels that the device or the driver cannot run: no machine code for it, PTX of a later
// version, no compiler of PTX, or a form of the file that it does not know.
var unfit = []error{cu.NoBinaryForGpu, cu.InvalidPtx, cu.InvalidImage, status(unsupportedPTX), status(noPTXCompiler)}

// Results that cu has no names for.
const (
	noPTXCompiler  = C.int(221) // CUDA_ERROR_JIT_COMPILER_NOT_FOUND
	unsupportedPTX = C.int(222) // CUDA_ERROR_UNSUPPORTED_PTX_VERSION

	contained        = C.int(226) // CUDA_ERROR_CONTAINED
	tensorMemoryLeak = C.int(721) // CUDA_ERROR_TENSOR_MEMORY_LEAK
	mpsClientEnded   = C.int(810) // CUDA_ERROR_MPS_CLIENT_TERMINATED
)

// within runs f on a thread on which ctx is current.
func within(ctx rawContext, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cu.SetCurrentContext(ctx); err != nil {
		return err
	}
	return f()
}

// retainContext takes hold of the primary context, and makes it where nobody has it.
func retainContext(device int) (rawContext, error) {
	sleepInWaits(cu.Device(device))
	return cu.Device(device).RetainPrimaryCtx()
}

// sleepInWaits has threads that wait for a stream sleep. By default the driver lets them spin as long as there are fewer contexts
// than processors, and a process has one here: each trial's wait would take a core from the loaders and from other trials. A sleep
// costs some 10 us to wake up from, which is little beside a step; times are measured by events and do not know of it.
//
// The flags hold for the whole process. Once the context is there they belong to who made it, another library perhaps, and are left
// alone; so is the default where the driver takes none. Events sleep by a flag of their own (makeEvent), whatever the context does.
func sleepInWaits(d cu.Device) {
	if flags, active, err := d.PrimaryCtxState(); err == nil && active == 0 {
		_ = d.SetPrimaryCtxFlags(flags&^cu.SchedMask | cu.SchedBlockingSync)
	}
}

func releaseContext(device int) error {
	return status(C.mapsweep_cuda_release_primary(C.int(device)))
}

// resetContext destroys all that the process has on the device, so that it can be begun anew; holds of the context stay. The
// driver's documentation allows it at any time when nothing uses the device. That it mends a lost context was not tried on a GPU.
func resetContext(device int) error { return cu.Device(device).ResetPrimaryCtx() }

func memoryInfo() (free, total int64, err error) { return cu.MemInfo() }

func attribute(device int, a Attribute) (int, error) {
	return cu.Device(device).Attribute(cu.DeviceAttribute(a))
}

// loadModule loads a module and all its kernels. The driver would load a kernel when it is first used, which may make all streams
// wait, those of other trials too, and could fall into a capture. To tell the driver so for the whole process
// (CUDA_MODULE_LOADING) would load all of cuDNN and NCCL as well.
func loadModule(image []byte) (rawModule, error) {
	m, err := cu.LoadData(string(image))
	if err != nil {
		return m, err
	}
	if code := C.mapsweep_cuda_load_functions(handle(m)); code != 0 && code != notSupported {
		return m, errors.Join(status(code), m.Unload())
	}
	return m, nil
}

func unloadModule(m rawModule) error                       { return m.Unload() }
func moduleFunc(m rawModule, name string) (rawFunc, error) { return m.Function(name) }
func setSharedLimit(f rawFunc, bytes int) error {
	return status(C.mapsweep_cuda_shared_limit(handle(f), C.int(bytes)))
}
func makeStream() (rawStream, error)           { return cu.MakeStream(cu.NonBlocking) }
func streamHandle(s rawStream) uintptr         { return uintptr(handle(s)) }
func destroyStream(s rawStream) error          { return s.Destroy() }
func synchronize(s rawStream) error            { return s.Synchronize() }
func streamWait(s rawStream, e rawEvent) error { return s.Wait(e, 0) }

// makeEvent makes an event that a thread sleeps for, and does not spin: whoever waits for a step leaves the processor to those who make the next batch.
func makeEvent(timing bool) (rawEvent, error) {
	if timing {
		return cu.MakeEvent(cu.BlockingSyncEvent)
	}
	return cu.MakeEvent(cu.BlockingSyncEvent | cu.DisableTiming)
}

func destroyEvent(e rawEvent) error              { return cu.DestroyEvent(&e) }
func recordEvent(e rawEvent, s rawStream) error  { return e.Record(s) }
func synchronizeEvent(e rawEvent) error          { return e.Synchronize() }
func queryEvent(e rawEvent) error                { return e.Query() }
func elapsed(from, to rawEvent) (float64, error) { return from.Elapsed(to) }

func copyIn(to Ptr, from unsafe.Pointer, bytes int64, s rawStream) error {
	return cu.MemcpyHtoDAsync(cu.DevicePtr(to), from, bytes, s)
}

func copyOut(to unsafe.Pointer, from Ptr, bytes int64, s rawStream) error {
	return cu.MemcpyDtoHAsync(to, cu.DevicePtr(from), bytes, s)
}

func copyWithin(to, from Ptr, bytes int64, s rawStream) error {
	return cu.MemcpyDtoDAsync(cu.DevicePtr(to), cu.DevicePtr(from), bytes, s)
}

func fill(to Ptr, value byte, bytes int64, s rawStream) error {
	return cu.MemsetD8Async(cu.DevicePtr(to), value, bytes, s)
}

// allocate takes memory from the device's pool, or from the driver where there is no pool.
func allocate(bytes int64, s rawStream) (Ptr, error) {
	var p C.uint64_t
	code := C.mapsweep_cuda_pool_alloc(C.size_t(bytes), handle(s), &p)
	if code == notSupported {
		m, err := cu.MemAlloc(bytes)
		return Ptr(m), err
	}
	return Ptr(p), status(code)
}

func release(p Ptr, s rawStream) error {
	code := C.mapsweep_cuda_pool_free(C.uint64_t(p), handle(s))
	if code == notSupported {
		return cu.MemFree(cu.DevicePtr(p))
	}
	return status(code)
}

func keepPool(device int, bytes uint64) error {
	return status(C.mapsweep_cuda_pool_keep(C.int(device), C.uint64_t(bytes)))
}

func trimPool(device int) error { return status(C.mapsweep_cuda_pool_trim(C.int(device))) }

func hostAlloc(bytes int) (unsafe.Pointer, Ptr, error) {
	var host unsafe.Pointer
	var p C.uint64_t
	err := status(C.mapsweep_cuda_host_alloc(C.size_t(bytes), &host, &p))
	return host, Ptr(p), err
}

func hostFree(p unsafe.Pointer) error { return status(C.mapsweep_cuda_host_free(p)) }

func canDepend() bool { return C.mapsweep_cuda_can_depend() != 0 }

func ptxVersion(f rawFunc) (int, error) {
	var v C.int
	err := status(C.mapsweep_cuda_ptx_version(handle(f), &v))
	return int(v), err
}

func launch(f rawFunc, l *Launch, s rawStream, dependent bool) error {
	var arguments unsafe.Pointer
	if len(l.Args) > 0 {
		arguments = unsafe.Pointer(unsafe.SliceData(l.Args))
	}
	grid, block := dimensions(l.Grid), dimensions(l.Block)
	if dependent {
		return status(C.mapsweep_cuda_launch_dependent(handle(f), &grid[0], &block[0], C.uint(l.Shared), handle(s), arguments, C.size_t(len(l.Args))))
	}
	return status(C.mapsweep_cuda_launch(handle(f), &grid[0], &block[0], C.uint(l.Shared), handle(s), arguments, C.size_t(len(l.Args))))
}

func dimensions(d [3]int) [3]C.uint {
	return [3]C.uint{C.uint(max(d[0], 1)), C.uint(max(d[1], 1)), C.uint(max(d[2], 1))}
}

func beginCapture(s rawStream) error { return status(C.mapsweep_cuda_begin_capture(handle(s))) }

func endCapture(s rawStream) (rawGraph, error) {
	var g rawGraph
	err := status(C.mapsweep_cuda_end_capture(handle(s), &g.graph))
	return g, err
}

func instantiate(g *rawGraph) error { return status(C.mapsweep_cuda_instantiate(g.graph, &g.exec)) }

func graphNodes(g rawGraph) (int, error) {
	var n C.size_t
	err := status(C.mapsweep_cuda_graph_nodes(g.graph, &n))
	return int(n), err
}

func dependentEdges(g rawGraph) (int, error) {
	var n C.size_t
	err := status(C.mapsweep_cuda_dependent_edges(g.graph, &n))
	return int(n), err
}

func graphLaunch(g rawGraph, s rawStream) error {
	return status(C.mapsweep_cuda_graph_launch(g.exec, handle(s)))
}

func destroyGraph(g rawGraph) (err error) {
	if g.exec != 0 {
		err = status(C.mapsweep_cuda_exec_destroy(g.exec))
	}
	if g.graph != 0 {
		if e := status(C.mapsweep_cuda_graph_destroy(g.graph)); err == nil {
			err = e
		}
	}
	return err
}
