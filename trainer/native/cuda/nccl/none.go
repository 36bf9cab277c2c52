//go:build !(linux && cgo && (amd64 || arm64))

package nccl

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Library and Comm cannot be had in this build.
type (
	Library struct{ Version string }
	Comm    struct{ Rank, Ranks int }
)

// Open says why there is no NCCL.
func Open() (*Library, error) { return nil, fmt.Errorf("%w: %s", ErrNone, cuda.Why()) }

func (*Library) Close()                                   {}
func (*Library) NewID() (ID, error)                       { return ID{}, ErrNone }
func (*Library) Join(Stream, ID, int, int) (*Comm, error) { return nil, ErrNone }
func (*Comm) Sum(cuda.Ptr, int64) error                   { return ErrNone }
func (*Comm) SumDoubles(cuda.Ptr, int64) error            { return ErrNone }
func (*Comm) Broadcast(cuda.Ptr, int64, int) error        { return ErrNone }
func (*Comm) Together(func() error) error                 { return ErrNone }
func (*Comm) Failed() error                               { return ErrNone }
func (*Comm) Close() error                                { return nil }
func (*Comm) Abort()                                      {}
