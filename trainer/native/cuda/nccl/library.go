//go:build linux && cgo && (amd64 || arm64)

package nccl

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

// Library is an opened NCCL.
type Library struct {
	raw     *C.struct_mapsweep_nccl
	opened  *library.Library
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
	// Ranks of one process could write to each other's buffers themselves, but ours come from a device's pool, which is not open
	// to other devices. NCCL's own buffers, through which it goes then, are. C sees the variable, too.
	if err := os.Setenv("NCCL_P2P_DIRECT_DISABLE", "1"); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNone, err)
	}
	opened, err := library.Open(path, unsafe.Pointer(&C.mapsweep_nccl_names))
	if err != nil {
		return nil, fmt.Errorf("%w: %w (MAPSWEEP_NCCL may name the file; a trial on one GPU needs none)", ErrNone, err)
	}
	raw := (*C.struct_mapsweep_nccl)(opened.Table)
	l := &Library{raw: raw, opened: opened}
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
func (l *Library) Close() { l.opened.Close() }

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
