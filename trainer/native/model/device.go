package model

import (
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// Device is what a network needs of a [graph.Device]: the memory of one graph, and the way in and out of it. Arenas are
// slices in the memory of this machine, arranged as the device likes; where its own memory is elsewhere they are mirrors,
// which Upload and Download bring up to date.
type Device interface {
	graph.Device

	// Weights, Grads and Stats are the arenas of parameters, their gradients (arranged alike) and running statistics.
	// Devices for images of other sizes have the same ones.
	Weights() []float32
	Grads() []float32
	Stats() []float32
	// Groups are the extents of the parameter groups in the arenas.
	Groups() [graph.Groups]graph.Extent
	// Alloc is zeroed memory of this machine that lives until Close; it panics where memory is exhausted, as make does.
	Alloc(floats int) []float32
	// Bytes is the memory held, the device's own and that of arenas.
	Bytes() int64

	// ImportParam sets p's values, in logical order, in an arena arranged as Weights; ExportParam reads them. ImportStat and
	// ExportStat do so in one arranged as Stats.
	ImportParam(p *graph.Param, arena, values []float32)
	ExportParam(p *graph.Param, arena []float32) []float32
	ImportStat(s *graph.Stat, arena, values []float32)
	ExportStat(s *graph.Stat, arena []float32) []float32
	// Upload makes Weights and Stats what the device computes with; Download makes them, and Grads, what it has computed. It
	// waits for what runs. Where arenas are no mirrors both do nothing.
	Upload() error
	Download() error

	// SetImages fills the front of an image buffer: H*W*3 floats an image, by rows, RGB interleaved, 0..1. Of devices that
	// share memory, the one whose images were set last is the one that may run, as Entered tells.
	SetImages(image *graph.Tensor, pix []float32) error
	Entered() bool
	// CompileFront joins forward steps for the first images of the batch alone, in evaluation.
	CompileFront(steps []graph.Step, images int) (graph.Program, error)
	// Outputs are those of a head set for the first images, once a program that makes them has run in evaluation; that run
	// reports what went wrong. They are valid until the next run.
	Outputs(set *layers.HeadSet, images int) loss.Heads

	// Resized makes the device of g, the graph of the same network for smaller images, in this one's memory. It is closed
	// before this one.
	Resized(g *graph.Graph) (Device, error)
}

// NewDevice makes the device of a graph.
type NewDevice func(g *graph.Graph) (Device, error)
