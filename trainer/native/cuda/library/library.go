//go:build linux && cgo && (amd64 || arm64)

package library

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

// mapsweep_library_find writes the functions' addresses to a table, and returns the name that is missing or NULL.
static const char *mapsweep_library_find(void *handle, const char *const *names, void **table) {
	for (; *names; names++, table++)
		if (!(*table = dlsym(handle, *names))) return *names;
	return NULL;
}

static size_t mapsweep_library_count(const char *const *names) {
	size_t n = 0;
	while (names[n]) n++;
	return n;
}

// dlerror is the calling thread's.
static void *mapsweep_library_open(const char *path, char *why, size_t size) {
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) snprintf(why, size, "%s", dlerror());
	return handle;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// Library is one that is open.
type Library struct {
	// Table is an array in C's memory of the functions' addresses, in the order of their names, and so a C struct of as many pointers
	// to functions. It is valid until Close.
	Table  unsafe.Pointer
	handle unsafe.Pointer
}

// Open loads a library and finds all functions of a list: a C array of strings that ends with a null.
func Open(path string, names unsafe.Pointer) (*Library, error) {
	list, name := (**C.char)(names), C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var why [512]C.char
	l := &Library{handle: C.mapsweep_library_open(name, &why[0], C.size_t(len(why)))}
	if l.handle == nil {
		return nil, errors.New(C.GoString(&why[0]))
	}
	l.Table = C.calloc(C.mapsweep_library_count(list), C.size_t(unsafe.Sizeof(l.Table)))
	if missing := C.mapsweep_library_find(l.handle, list, (*unsafe.Pointer)(l.Table)); missing != nil {
		l.Close()
		return nil, fmt.Errorf("%s has no %s", path, C.GoString(missing))
	}
	return l, nil
}

// Close unloads the library.
func (l *Library) Close() {
	C.free(l.Table)
	C.dlclose(l.handle)
}
