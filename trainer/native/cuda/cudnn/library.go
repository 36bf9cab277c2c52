//go:build linux && cgo && (amd64 || arm64)

package cudnn

/*
#include "library.h"
*/
import "C"

import (
	"fmt"
	"os"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/library"
)

// Library is an opened cuDNN.
type Library struct {
	raw     *C.struct_mapsweep_cudnn
	opened  *library.Library
	Version string // such as "9.28.0"
}

// Open loads cuDNN. Where there is no GPU or no cuDNN 9, the error wraps ErrNone and says why.
func Open() (*Library, error) {
	if why := cuda.Why(); why != "" { // the library must not be asked anything then
		return nil, fmt.Errorf("%w: %s", ErrNone, why)
	}
	path := os.Getenv("MAPSWEEP_CUDNN")
	if path == "" {
		path = "libcudnn.so.9"
	}
	opened, err := library.Open(path, unsafe.Pointer(&C.mapsweep_cudnn_names))
	if err != nil {
		return nil, fmt.Errorf("%w: %w (MAPSWEEP_CUDNN may name the file)", ErrNone, err)
	}
	raw := (*C.struct_mapsweep_cudnn)(opened.Table)
	version := int(C.mapsweep_cudnn_version(raw))
	l := &Library{raw: raw, opened: opened, Version: fmt.Sprintf("%d.%d.%d", version/10000, version/100%100, version%100)}
	if version < 10000 { // before 9 the major number counted 1000
		l.Version = fmt.Sprintf("%d.%d.%d", version/1000, version/100%10, version%100)
	}
	if version/10000 != 9 {
		l.Close()
		return nil, fmt.Errorf("%w: %s is of version %s, and 9 is needed", ErrNone, path, l.Version)
	}
	return l, nil
}

// Close unloads the library. All its handles and plans must be closed before.
func (l *Library) Close() { l.opened.Close() }

// status is cuDNN's result as an error.
func (l *Library) status(what string, code C.int) error {
	if code == 0 {
		return nil
	}
	return fmt.Errorf("%s: cuDNN: %s (%d)", what, C.GoString(C.mapsweep_cudnn_words(l.raw, code)), int(code))
}

// Handle does work on one stream, by one goroutine at a time.
type Handle struct {
	library *Library
	stream  Stream
	raw     unsafe.Pointer
}

// NewHandle makes a handle whose work goes to the stream.
func (l *Library) NewHandle(stream Stream) (*Handle, error) {
	h := &Handle{library: l, stream: stream}
	return h, stream.Within(func() error {
		return l.status("make cuDNN handle", C.mapsweep_cudnn_handle(l.raw, C.uintptr_t(stream.Handle()), &h.raw))
	})
}

// turn sets the stream that work goes to.
func (h *Handle) turn(stream Stream) error {
	return h.library.status("turn cuDNN to a stream", C.mapsweep_cudnn_turn(h.library.raw, h.raw, C.uintptr_t(stream.Handle())))
}

// Close frees what the handle holds on the device.
func (h *Handle) Close() error {
	return h.stream.Within(func() error { return h.library.status("end cuDNN handle", C.mapsweep_cudnn_end(h.library.raw, h.raw)) })
}
