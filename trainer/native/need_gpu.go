package native

import (
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/layers/gpu"
	"github.com/mapsweep/mapsweep/trainer/native/model"
)

// optimiserArenas is the most arenas as long as the weights that a run keeps beside them: momentum, squares, peaks, a sum,
// an average, and room for weights while the average is scored.
const optimiserArenas = 6

// netSize is what a network takes on a GPU, with its loss, and what its main head puts out.
type netSize struct {
	bytes int64
	heads kernel.Heads // without memory
}

// sizeKey is what that depends on.
type sizeKey struct {
	net     netKey
	objects int
}

// need is the device memory that a run takes at most.
func (e *gpuEngine) need(c engineConfig) (int64, error) {
	size, err := e.kits.size(sizeKey{e.keyOf(c).net, e.room}, func() (netSize, error) { return e.measure(c) })
	if err != nil {
		return 0, err
	}
	own := c.model // the network for the data's pictures
	own.Largest, own.Width = max(own.Width, own.Largest), e.size
	_, count := gpu.Count()
	e.feeds = e.feedBytes(own)
	for _, bytes := range append(e.scoreBytes(own, size.heads).all(), e.feeds) {
		if _, err := count.Alloc(bytes); err != nil {
			return 0, err
		}
	}
	const tables = 8 << 20 // of the optimiser, and of networks for other image sizes
	return size.bytes + count.Bytes + tables, nil
}

// size is a network's size, found once for all runs with the same one.
func (k *kits) size(key sizeKey, measure func() (netSize, error)) (netSize, error) {
	if k == nil {
		return measure()
	}
	k.sized.Lock()
	defer k.sized.Unlock()
	if s, ok := k.sizes[key]; ok {
		return s, nil
	}
	s, err := measure()
	if err == nil {
		k.sizes[key] = s
	}
	return s, err
}

// measure builds the network where there is no device.
func (e *gpuEngine) measure(c engineConfig) (s netSize, err error) {
	place, count := gpu.Count()
	place.Ranks, place.SyncNorm = c.rank.others(), c.rank.synchronised()
	n, err := buildOnGPU(c, place)
	if err != nil {
		return s, err
	}
	defer n.Close()
	if n, err = n.Resized(largestSize(n)); err != nil {
		return s, err
	}
	d := n.Device().(gpuDevice)
	if err := d.UseLoss(c.loss, e.room); err != nil {
		return s, err
	}
	if c.choices != nil {
		if err := d.LendToCuDNN(); err != nil {
			return s, err
		}
	}
	arenas := 4 * int64(len(d.Weights())+len(d.Stats())) * optimiserArenas
	if _, err := count.Alloc(arenas); err != nil {
		return s, err
	}
	return netSize{count.Bytes, headsOf(n)}, nil
}

// headsOf is what a network's main head puts out for a batch, without memory.
func headsOf(n *model.Network) kernel.Heads {
	main, _ := n.Heads()
	return kernel.Heads{N: n.Config().Batch, A: main.Anchors(), K: main.Classes}
}

// largestSize is the size of the largest pictures that a network is built for.
func largestSize(n *model.Network) (width, height int) {
	c := n.Config()
	return max(c.Width, c.Largest), max(c.Height, c.Largest)
}
