//go:build linux && cgo && (amd64 || arm64)

package nccl

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "library.h"
*/
import "C"

import (
	"fmt"
	"os"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Library is an opened NCCL.
type Library struct {
	raw     *C.struct_mapsweep_nccl
	Version string // such as "2.27.3"
}

// oldest is the first version whose work streams can capture, as NCCL counts versions.
const oldest = 20900

// Open loads NCCL. Where there is no GPU or no NCCL 2.9 or later, the error wraps ErrNone and says why.
func Open() (*Library, error) {
	if why := cuda.Why(); why != "" {
		return nil, fmt.Errorf("%w: %s", ErrNone, why)
	}
	path := os.Getenv("MAPSWEEP_NCCL")
	if path == "" {
		path = "libnccl.so.2"
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var why [512]C.char
	raw := C.mapsweep_nccl_open(name, &why[0], C.size_t(len(why)))
	if raw == nil {
		return nil, fmt.Errorf("%w: %s (MAPSWEEP_NCCL may name the file; a trial on one GPU needs none)", ErrNone, C.GoString(&why[0]))
	}
	l := &Library{raw: raw}
	var v C.int
	if err := l.status("ask for NCCL's version", C.mapsweep_nccl_version(raw, &v)); err != nil {
		l.Close()
		return nil, fmt.Errorf("%w: %w", ErrNone, err)
	}
	l.Version = version(int(v))
	if v < oldest {
		l.Close()
		return nil, fmt.Errorf("%w: %s is of version %s, and %s or later is needed", ErrNone, path, l.Version, version(oldest))
	}
	return l, nil
}

// version writes out a number of NCCL's, which since 2.9 holds two digits for each of the smaller parts, and before one.
func version(v int) string {
	if v < 10000 {
		return fmt.Sprintf("%d.%d.%d", v/1000, v/100%10, v%100)
	}
	return fmt.Sprintf("%d.%d.%d", v/10000, v/100%100, v%100)
}

// Close unloads the library. All its communicators must be closed before.
func (l *Library) Close() { C.mapsweep_nccl_close(l.raw) }

// status is NCCL's result as an error.
func (l *Library) status(what string, code C.int) error {
	if code == 0 {
		return nil
	}
	return fmt.Errorf("%s: NCCL: %s (%d)", what, C.GoString(C.mapsweep_nccl_words(l.raw, code)), int(code))
}

// NewID makes the name of a new set of ranks.
func (l *Library) NewID() (ID, error) {
	var raw C.struct_mapsweep_nccl_id
	err := l.status("make NCCL id", C.mapsweep_nccl_id(l.raw, &raw))
	return ID(C.GoBytes(unsafe.Pointer(&raw), C.int(len(raw.bytes)))), err
}
