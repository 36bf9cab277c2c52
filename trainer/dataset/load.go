package dataset

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trainer"
)

// Options say how a data set is loaded.
type Options struct {
	Size int          // side of the square images in pixels; 0: 128 for built-in sets, 640 for others
	Log  *slog.Logger // receives the notes as they are found; nil: nowhere

	// Cache is how many bytes of pixels stay in RAM, first those of training; what has no room is decoded again from its
	// file each time. 0: all; negative: none. Built-in sets always stay. It never changes what is trained on.
	Cache int64
}

// room is the number of bytes that may be kept.
func (o Options) room() int64 {
	switch {
	case o.Cache == 0:
		return math.MaxInt64
	case o.Cache < 0:
		return 0
	}
	return o.Cache
}

// Default sizes.
const (
	builtinSize = 128
	pathSize    = 640
)

// BuiltinPrefix begins the names of built-in data sets.
const BuiltinPrefix = "builtin:"

// Builtins lists the built-in data sets.
func Builtins() []string {
	return []string{"builtin:digits", "builtin:digits-dense", "builtin:digits-uniform", "builtin:digits-few", "builtin:trees"}
}

// Load reads the data set named by ref into RAM: one of Builtins, or the path of a YOLO data.yaml or a directory
// with one, of a Pascal VOC directory (Annotations, JPEGImages), or of COCO JSON (a file, or a directory with
// annotations/*.json). Files that cannot be used are left out and named in Notes. Errors wrap trainer.ErrNoData,
// except when ctx ends: then it is context.Cause(ctx).
func Load(ctx context.Context, ref string, opts Options) (*Dataset, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Size < 0 {
		return nil, fmt.Errorf("load data %q: image size %d is negative: %w", ref, opts.Size, trainer.ErrNoData)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var d *Dataset
	var err error
	if name, ok := strings.CutPrefix(ref, BuiltinPrefix); ok {
		if opts.Size == 0 {
			opts.Size = builtinSize
		}
		d, err = loadBuiltin(ctx, name, opts)
	} else {
		if opts.Size == 0 {
			opts.Size = pathSize
		}
		d, err = loadPath(ctx, ref, opts)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("load data %q: %w", ref, err)
	}
	d.Name, d.Size = ref, opts.Size
	if d.Hash == "" {
		if d.Hash, err = d.hash(ctx); err != nil {
			return nil, fmt.Errorf("load data %q: %w", ref, err)
		}
	}
	return d, nil
}

// Split returns the images of "train", "val" or "test". An empty split is an error wrapping trainer.ErrNoData.
func (d *Dataset) Split(name string) ([]Image, error) {
	images, ok := map[string][]Image{"train": d.Train, "val": d.Val, "test": d.Test}[name]
	if !ok {
		return nil, fmt.Errorf("data %q: unknown split %q: want train, val or test: %w", d.Name, name, trainer.ErrNoData)
	}
	if len(images) == 0 {
		return nil, fmt.Errorf("data %q has no images in its %s split: choose another split or add images: %w", d.Name, name, trainer.ErrNoData)
	}
	return images, nil
}

// hash is the digest of a data set of which everything is known.
func (d *Dataset) hash(ctx context.Context) (string, error) {
	h := newDigest(d.Size, d.Classes)
	for _, split := range [][]Image{d.Train, d.Val, d.Test} {
		h.split(len(split))
		for i := range split {
			if ctx.Err() != nil {
				return "", context.Cause(ctx)
			}
			pix, err := split[i].Pixels()
			if err != nil {
				return "", err
			}
			h.image(&split[i], pix)
		}
	}
	return h.end(), nil
}

// median returns the middle of v, or 0 if there is none; v is sorted in place.
func median(v []float32) float32 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
