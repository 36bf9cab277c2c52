// Package nccl adds up values of several GPUs with NVIDIA's NCCL where a machine has it, for a trial that trains on more than
// one: gradients, and the sums of a synchronised batch normalisation. It is never needed: the library is opened at run time, its functions
// are declared here (library.h), and a build needs neither its headers nor the library.
//
// Open finds libnccl.so.2 as the system's loader does, or where the environment variable MAPSWEEP_NCCL says, and only after
// the driver has found a GPU. One process makes an ID; every rank joins with it on a stream of its own GPU, each in a goroutine of its
// own, since Join returns when all have come; a Comm then puts its sums into that stream, captured with the rest of a step or not.
//
// All ranks get the same bits. That the same run gives the same bits again holds for two ranks in any order of sums, as a+b = b+a; for more
// NCCL must choose the same algorithm again, which NCCL_ALGO and NCCL_PROTO can hold fixed.
//
// The package has run over a stand-in for the library only, never on a GPU, let alone on two. It must not know what a model
// is. Start at Open.
package nccl

import "errors"

// ErrNone is what Open's error wraps where there is no usable NCCL.
var ErrNone = errors.New("no NCCL")

// ErrEnded is wrapped by the errors of a communicator that was closed or aborted.
var ErrEnded = errors.New("the ranks' communicator has ended")

// ID names the ranks that belong together. It is made once and given to each.
type ID [128]byte

// Stream is what NCCL needs of a stream: the driver's handle, and a thread on which the stream's context is current.
type Stream interface {
	Handle() uintptr
	Within(f func() error) error
}
