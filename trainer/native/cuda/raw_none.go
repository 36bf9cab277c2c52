//go:build !(linux && cgo && (amd64 || arm64))

package cuda

import "unsafe"

// Without a driver interface nothing below can be reached: Open fails.
type (
	rawContext struct{}
	rawStream  struct{}
	rawEvent   struct{}
	rawModule  struct{}
	rawFunc    struct{}
	rawGraph   struct{}
)

var (
	errMemory = ErrMemory
	errBusy   = ErrNone
	fatal     []error
	unfit     []error
)

func within(rawContext, func() error) error               { return ErrNone }
func retainContext(int) (rawContext, error)               { return rawContext{}, ErrNone }
func releaseContext(int) error                            { return ErrNone }
func resetContext(int) error                              { return ErrNone }
func memoryInfo() (free, total int64, err error)          { return 0, 0, ErrNone }
func attribute(int, Attribute) (int, error)               { return 0, ErrNone }
func loadModule([]byte) (rawModule, error)                { return rawModule{}, ErrNone }
func unloadModule(rawModule) error                        { return ErrNone }
func moduleFunc(rawModule, string) (rawFunc, error)       { return rawFunc{}, ErrNone }
func setSharedLimit(rawFunc, int) error                   { return ErrNone }
func makeStream() (rawStream, error)                      { return rawStream{}, ErrNone }
func streamHandle(rawStream) uintptr                      { return 0 }
func destroyStream(rawStream) error                       { return ErrNone }
func synchronize(rawStream) error                         { return ErrNone }
func streamWait(rawStream, rawEvent) error                { return ErrNone }
func makeEvent(bool) (rawEvent, error)                    { return rawEvent{}, ErrNone }
func destroyEvent(rawEvent) error                         { return ErrNone }
func recordEvent(rawEvent, rawStream) error               { return ErrNone }
func synchronizeEvent(rawEvent) error                     { return ErrNone }
func queryEvent(rawEvent) error                           { return ErrNone }
func elapsed(_, _ rawEvent) (float64, error)              { return 0, ErrNone }
func copyIn(Ptr, unsafe.Pointer, int64, rawStream) error  { return ErrNone }
func copyOut(unsafe.Pointer, Ptr, int64, rawStream) error { return ErrNone }
func copyWithin(_, _ Ptr, _ int64, _ rawStream) error     { return ErrNone }
func fill(Ptr, byte, int64, rawStream) error              { return ErrNone }
func allocate(int64, rawStream) (Ptr, error)              { return 0, ErrNone }
func release(Ptr, rawStream) error                        { return ErrNone }
func keepPool(int, uint64) error                          { return ErrNone }
func trimPool(int) error                                  { return ErrNone }
func hostAlloc(int) (unsafe.Pointer, Ptr, error)          { return nil, 0, ErrNone }
func hostFree(unsafe.Pointer) error                       { return ErrNone }
func canDepend() bool                                     { return false }
func ptxVersion(rawFunc) (int, error)                     { return 0, ErrNone }
func launch(rawFunc, *Launch, rawStream, bool) error      { return ErrNone }
func beginCapture(rawStream) error                        { return ErrNone }
func endCapture(rawStream) (rawGraph, error)              { return rawGraph{}, ErrNone }
func instantiate(*rawGraph) error                         { return ErrNone }
func graphNodes(rawGraph) (int, error)                    { return 0, ErrNone }
func dependentEdges(rawGraph) (int, error)                { return 0, ErrNone }
func graphLaunch(rawGraph, rawStream) error               { return ErrNone }
func destroyGraph(rawGraph) error                         { return ErrNone }
