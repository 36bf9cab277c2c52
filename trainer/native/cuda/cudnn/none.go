//go:build !(linux && cgo && (amd64 || arm64))

package cudnn

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Library, Handle and Plan cannot be had in this build.
type (
	Library struct{ Version string }
	Handle  struct{}
	Plan    struct{}
)

// Open says why there is no cuDNN.
func Open() (*Library, error) { return nil, fmt.Errorf("%w: %s", ErrNone, cuda.Why()) }

func (*Library) Close()                                        {}
func (*Library) NewHandle(Stream) (*Handle, error)             { return nil, ErrNone }
func (*Handle) Close() error                                   { return nil }
func (*Handle) Plan(Shape) (*Plan, error)                      { return nil, ErrNone }
func (*Plan) Close()                                           {}
func (*Plan) Algorithms(Direction, int64) ([]Algorithm, error) { return nil, ErrNone }
func (*Plan) Run(Algorithm, Memory, bool) error                { return ErrNone }
func (*Plan) RunOn(Stream, Algorithm, Memory, bool) error      { return ErrNone }
