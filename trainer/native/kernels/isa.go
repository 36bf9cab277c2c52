package kernels

/*
#include <stdlib.h>
#include "kernels.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// ErrUnsupported is returned where a set of kernels is asked for that this build or this processor does not have.
var ErrUnsupported = errors.New("instruction set not supported here")

// All names every set, the best first.
func All() []string { return []string{"avx512", "avx2", "generic"} }

type table = *C.struct_ms_kernels

func find(name string) (table, error) {
	if !slices.Contains(All(), name) {
		return nil, fmt.Errorf("select kernels %q: unknown name, use one of %q", name, All())
	}
	s := C.CString(name)
	defer C.free(unsafe.Pointer(s))
	if t := C.ms_find(s); t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("select kernels %q: %w", name, ErrUnsupported)
}

// chosen is what MAPSWEEP_ISA names, or the best. The error is for NewConv: a wrong name must not pass in silence.
var chosen = sync.OnceValues(func() (table, error) {
	if name := os.Getenv("MAPSWEEP_ISA"); name != "" {
		t, err := find(name)
		if err != nil {
			generic, _ := find("generic")
			return generic, fmt.Errorf("read MAPSWEEP_ISA: %w", err)
		}
		return t, nil
	}
	for _, name := range All() {
		if t, err := find(name); err == nil {
			return t, nil
		}
	}
	panic("kernels: the generic set is missing")
})

var forced atomic.Pointer[C.struct_ms_kernels]

func current() table {
	if t := forced.Load(); t != nil {
		return t
	}
	t, _ := chosen()
	return t
}

// ISA is the name of the set in use: avx512, avx2 or generic.
func ISA() string { return C.GoString(current().name) }

// Supported lists the sets that this processor has, the best first.
func Supported() []string {
	var names []string
	for _, name := range All() {
		if _, err := find(name); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// Force makes the named set the one in use, for tests; restore undoes it. A Conv keeps the set it was made with. The
// error is ErrUnsupported where the processor lacks it.
func Force(name string) (restore func(), err error) {
	t, err := find(name)
	if err != nil {
		return func() {}, err
	}
	old := forced.Swap(t)
	return func() { forced.Store(old) }, nil
}
