package model

import (
	"errors"
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// family are the networks of one model for images of several sizes, in one memory: the first one's, which is for the
// largest images.
type family struct {
	model *spec.Model
	make  NewDevice // of the first
	first *Network
	sizes map[[2]int]*Network // by width and height
	all   []*Network
}

// add builds the network of a configuration, without weights.
func (f *family) add(cfg Config) (*Network, error) {
	n, err := define(f.model, cfg)
	if err != nil {
		return nil, fmt.Errorf("build network: %w", err)
	}
	n.family = f
	if f.first == nil {
		n.device, err = f.make(n.graph)
	} else {
		n.device, err = f.first.device.Resized(n.graph)
	}
	if err != nil {
		return nil, fmt.Errorf("build network: %w", err)
	}
	f.all = append(f.all, n)
	if err := n.compile(); err != nil {
		return nil, fmt.Errorf("build network: %w", err)
	}
	if f.first == nil {
		f.first = n
	}
	f.sizes[[2]int{cfg.Width, cfg.Height}] = n
	return n, nil
}

// close releases everything, that of the first network last.
func (f *family) close() error {
	var errs []error
	for i := len(f.all) - 1; i >= 0; i-- {
		if d := f.all[i].device; d != nil {
			f.all[i].device = nil
			errs = append(errs, d.Close())
		}
	}
	f.all = nil
	return errors.Join(errs...)
}

// Resized returns the same network for images of another size, built at the first call: parameters, gradients and
// statistics are shared, and so is the memory of activations, so that only the network whose images were set last
// can run. Config.Largest bounds the size. Networks that belong together are closed together.
func (n *Network) Resized(width, height int) (*Network, error) {
	f := n.family
	if r := f.sizes[[2]int{width, height}]; r != nil {
		return r, nil
	}
	cfg := n.cfg
	cfg.Width, cfg.Height = width, height
	if _, err := cfg.resolve(); err != nil {
		return nil, fmt.Errorf("resize network: %w", err)
	}
	if most := f.first.cfg; width > most.Width || height > most.Height {
		return nil, fmt.Errorf("resize network to %d x %d pixels: it was built for %d x %d at most", width, height, most.Width, most.Height)
	}
	return f.add(cfg)
}

// Close releases the memory, of all sizes. The network must not be used any more; a second Close does nothing.
func (n *Network) Close() error {
	if n.family == nil {
		return nil
	}
	return n.family.close()
}
