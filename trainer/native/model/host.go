package model

import (
	"errors"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/cpu"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// host is the CPU as a Device. Its arenas are what it computes with.
type host struct {
	*cpu.Device
	bf16, direct bool
}

var _ Device = host{}

// onHost makes the CPU's devices as a configuration says.
func onHost(cfg Config) NewDevice {
	return func(g *graph.Graph) (Device, error) {
		d := cpu.New(g)
		if err := d.UseThreads(cfg.Threads); err != nil {
			return nil, errors.Join(err, d.Close())
		}
		return host{d, cfg.BF16, cfg.Direct}.set(), nil
	}
}

// set chooses the kernels that are bound from now on.
func (h host) set() Device {
	if h.bf16 {
		h.UseBF16()
	}
	if h.direct {
		h.UseDirect()
	}
	return h
}

func (h host) Resized(g *graph.Graph) (Device, error) {
	d, err := h.Device.Resized(g)
	if err != nil {
		return nil, err
	}
	return host{d, h.bf16, h.direct}.set(), nil
}

func (h host) SetImages(image *graph.Tensor, pix []float32) error {
	h.Device.SetImages(image, pix)
	return nil
}

func (h host) Outputs(set *layers.HeadSet, images int) loss.Heads {
	return h.Heads(set).Collect(images)
}

func (host) Upload() error { return nil }

func (host) Download() error { return nil }
