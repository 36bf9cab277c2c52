//go:build linux && cgo && (amd64 || arm64)

package cudnn

/*
#include "library.h"
*/
import "C"

import (
	"errors"
	"fmt"
)

// Plan is a convolution of fixed shapes.
type Plan struct {
	handle *Handle
	shape  Shape
	raw    C.struct_mapsweep_cudnn_plan
}

// Plan describes a convolution to the library.
func (h *Handle) Plan(s Shape) (*Plan, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	shape := C.struct_mapsweep_cudnn_shape{
		n: C.int(s.In.N), h: C.int(s.In.H), w: C.int(s.In.W), c: C.int(s.In.C), stride: C.int(s.In.Stride),
		out_h: C.int(s.Out.H), out_w: C.int(s.Out.W), out_c: C.int(s.Out.C), out_stride: C.int(s.Out.Stride),
		size: C.int(s.Size), step: C.int(s.Step), pad: C.int(s.Pad), groups: C.int(s.Groups),
	}
	if s.BF16 {
		shape.bf16 = 1
	}
	p := &Plan{handle: h, shape: s}
	if err := h.library.status("plan convolution", C.mapsweep_cudnn_plan(h.library.raw, &shape, &p.raw)); err != nil {
		return nil, err
	}
	return p, nil
}

// Close forgets the plan.
func (p *Plan) Close() { C.mapsweep_cudnn_forget(p.handle.library.raw, &p.raw) }

// mostAlgorithms is more than cuDNN has for any direction.
const mostAlgorithms = 16

// Algorithms lists the ways to compute a direction that take up to so many bytes of workspace and give the same bits every time,
// what the library thinks fastest first.
func (p *Plan) Algorithms(d Direction, workspace int64) ([]Algorithm, error) {
	l, h := p.handle.library, p.handle
	var found [mostAlgorithms]C.struct_mapsweep_cudnn_algorithm
	var fit []Algorithm
	err := h.stream.Within(func() error {
		count := C.int(mostAlgorithms)
		if err := l.status("list algorithms", C.mapsweep_cudnn_algorithms(l.raw, h.raw, &p.raw, C.int(d), &found[0], &count)); err != nil {
			return err
		}
		for _, f := range found[:min(max(int(count), 0), mostAlgorithms)] {
			var bytes C.size_t
			if f.status != 0 || f.deterministic != 1 || C.mapsweep_cudnn_bytes(l.raw, h.raw, &p.raw, C.int(d), f.algorithm, f.math, &bytes) != 0 {
				continue
			}
			if need := int64(max(bytes, f.memory)); need <= workspace {
				fit = append(fit, Algorithm{Direction: d, Number: int(f.algorithm), Math: int(f.math), Workspace: need})
			}
		}
		return nil
	})
	return fit, err
}

// Run puts the algorithm's work into the handle's stream. What it writes is replaced, or, with add, added to.
func (p *Plan) Run(a Algorithm, m Memory, add bool) error { return p.RunOn(p.handle.stream, a, m, add) }

// RunOn puts the work into another stream of the same device: a branch of what the handle's stream captures. Work of one handle
// must not be under way in two streams at a time.
func (p *Plan) RunOn(stream Stream, a Algorithm, m Memory, add bool) error {
	if m.Workspace == 0 && a.Workspace > 0 {
		return fmt.Errorf("run %s: it needs a workspace of %d bytes and has none", a, a.Workspace)
	}
	var keep C.float
	if add {
		keep = 1
	}
	h := p.handle
	return h.stream.Within(func() (err error) {
		if stream.Handle() != h.stream.Handle() {
			if err := h.turn(stream); err != nil {
				return err
			}
			defer func() { err = errors.Join(err, h.turn(h.stream)) }()
		}
		return h.library.status("run "+a.String(), C.mapsweep_cudnn_run(h.library.raw, h.raw, &p.raw, C.int(a.Direction), C.int(a.Number), C.int(a.Math),
			C.uintptr_t(m.In), C.uintptr_t(m.Weights), C.uintptr_t(m.Out), C.uintptr_t(m.Workspace), C.size_t(a.Workspace), keep))
	})
}
