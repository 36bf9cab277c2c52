package native

import (
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/cudnn"
	"github.com/mapsweep/mapsweep/trainer/native/layers/gpu"
)

// convolutions are who computes those of a run on a GPU, where the fastest are asked for. A run that goes on keeps it: times
// fall otherwise another time, and other ways round otherwise.
type convolutions struct {
	GPU     string            `json:"gpu"`             // on which they were timed
	Library string            `json:"cudnn,omitempty"` // its version; "": there was none, and our kernels compute all
	Ways    map[string]string `json:"ways,omitempty"`  // by kind of pass
}

// words say what was chosen.
func (c *convolutions) words() string {
	if c.Library == "" {
		return "convolutions: all by mapsweep's kernels"
	}
	theirs := 0
	for _, w := range c.Ways {
		if w != gpu.Ours {
			theirs++
		}
	}
	return fmt.Sprintf("convolutions: of %d directions and shapes %d by cuDNN %s, where it was faster than mapsweep's kernels", len(c.Ways), theirs, c.Library)
}

// fits says why a run cannot go on with a choice on a GPU of some name, with the library that is there, or nil.
func (c *convolutions) fits(name string, l *cudnn.Library, why error) error {
	switch {
	case c == nil || c.Library == "":
		return nil
	case c.GPU != name:
		return fmt.Errorf("its convolutions were chosen on %s and this is %s", c.GPU, name)
	case l == nil:
		return fmt.Errorf("part of its convolutions is computed by cuDNN %s: %w", c.Library, why)
	case l.Version != c.Library:
		return fmt.Errorf("part of its convolutions is computed by cuDNN %s and this is %s", c.Library, l.Version)
	}
	return nil
}

// choices are the timed choices of a backend's runs: those on GPUs of one name share them.
type choices struct {
	mu      sync.Mutex
	asked   bool
	library *cudnn.Library               // nil: there is none
	why     error                        // there is none
	known   map[string]map[string]string // by name of the GPU, library and type; then by kind of pass
}

// open looks for cuDNN once.
func (c *choices) open() (*cudnn.Library, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.find()
}

func (c *choices) find() (*cudnn.Library, error) {
	if !c.asked {
		c.asked = true
		c.library, c.why = cudnn.Open()
	}
	return c.library, c.why
}

// choose completes a device with a choice: the stored one, or else what other runs have chosen, and what is timed here for the
// rest. One run at a time is timed.
func (c *choices) choose(d *gpu.Device, l *cudnn.Library, key string, stored *convolutions, t *gpu.Timer) (map[string]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[string]map[string]string{}
	}
	known := c.known[key]
	if stored != nil {
		known, t = stored.Ways, nil
	}
	ways, err := d.Choose(l, known, t)
	if err != nil {
		return nil, err
	}
	all := maps.Clone(ways)
	maps.Copy(all, c.known[key]) // what others have chosen first stays
	c.known[key] = all
	return ways, nil
}

// choose has the convolutions of the network's own size computed by the fastest; those for pictures of other sizes are ours.
func (e *gpuEngine) choose(stored *convolutions) (*convolutions, error) {
	if e.choices == nil {
		return nil, nil
	}
	l, why := e.choices.open()
	if err := stored.fits(e.on.Device.Name, l, why); err != nil {
		return nil, err
	}
	if e.chosen != nil { // with the kit
		return e.chosen, nil
	}
	made := &convolutions{GPU: e.on.Device.Name}
	e.chosen = made
	if l == nil || stored != nil && stored.Library == "" {
		return made, nil
	}
	made.Library = l.Version
	d := e.net.Device().(gpuDevice).Device
	var err error
	made.Ways, err = e.choices.choose(d, l, fmt.Sprintf("%s, cuDNN %s, %s", made.GPU, l.Version, d.Type()), stored, &e.timer)
	return made, err
}

// noFastest says why no choice can be made, or nil.
func (c *Config) noFastest(p Place) error {
	if c.Convolution != Fastest || len(p.GPUs) > 0 {
		return nil
	}
	return fmt.Errorf("convolution %q chooses between kernels of a GPU, and trials compute on %s: use %s, or %s", Fastest, p, Auto, Direct)
}

// fastest says for a provenance what trials choose between.
func (b *Backend) fastest() string {
	l, why := b.choices.open()
	if l == nil {
		return fmt.Sprintf("%s (%v)", Fastest, why)
	}
	return fmt.Sprintf("%s of mapsweep's kernels and cuDNN %s", Fastest, l.Version)
}

// choose asks the engine for the choice, or for the stored one again.
func (r *run) choose() error {
	made, err := r.engine.choose(r.choice)
	switch {
	case err != nil && r.job.Resume != "":
		return fmt.Errorf("resume from %s: %w: remove it to start anew", r.job.Resume, err)
	case err != nil:
		return err
	}
	r.choice = made
	if made == nil || made.Library != "" {
		return nil
	}
	if _, why := r.b.choices.open(); errors.Is(why, cudnn.ErrNone) {
		r.b.noLibrary.Do(func() {
			r.b.log.Warn("mapsweep's kernels compute all convolutions", "convolution", Fastest, "because", why)
		})
	}
	return nil
}
