package kernels

/*
#cgo LDFLAGS: -lpthread
#include "kernels.h"
*/
import "C"

import "fmt"

// Team is the threads that work together on one kernel: the calling one and helpers in C, which sleep while there is
// nothing to do. Results have the same bits for every number of threads. Nil is a team of the calling thread alone.
//
// A view names the team that kernels on it use, so one team may serve many views; but only one kernel at a time, like a
// Conv.
type Team struct{ c *C.struct_ms_team }

// NewTeam starts a team of so many threads, the calling one included; for 1 or less it is nil. The error is that of a system
// that gives no more threads. Close it after everything that uses it.
func NewTeam(threads int) (*Team, error) {
	if threads <= 1 {
		return nil, nil
	}
	c := C.ms_team_new(C.int(threads))
	if c == nil {
		return nil, fmt.Errorf("start %d threads: the system gives no more", threads-1)
	}
	return &Team{c}, nil
}

// Threads is the number of threads, the calling one included.
func (t *Team) Threads() int { return int(C.ms_team_threads(t.pointer())) }

// Close ends the helpers; a second Close does nothing.
func (t *Team) Close() {
	if t == nil || t.c == nil {
		return
	}
	C.ms_team_free(t.c)
	t.c = nil
}

func (t *Team) pointer() *C.struct_ms_team {
	if t == nil {
		return nil
	}
	return t.c
}
