package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
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
	d.Hash = d.hash()
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

// hash is SHA-256 over size, classes and, for each split, names, pixels and boxes.
func (d *Dataset) hash() string {
	h := sha256.New()
	var buf []byte
	number := func(v uint64) { buf = binary.LittleEndian.AppendUint64(buf, v) }
	text := func(s string) { number(uint64(len(s))); buf = append(buf, s...) }
	number(uint64(d.Size))
	number(uint64(len(d.Classes)))
	for _, c := range d.Classes {
		text(c)
	}
	for _, split := range [][]Image{d.Train, d.Val, d.Test} {
		number(uint64(len(split)))
		for _, m := range split {
			text(m.Name)
			number(uint64(m.W))
			number(uint64(m.H))
			number(uint64(len(m.Boxes)))
			for _, b := range m.Boxes {
				number(uint64(b.Class))
				for _, v := range []float32{b.X0, b.Y0, b.X1, b.Y1, b.Area} {
					buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
				}
				if b.Crowd {
					buf = append(buf, 1)
				} else {
					buf = append(buf, 0)
				}
			}
			h.Write(buf)
			h.Write(m.Pix)
			buf = buf[:0]
		}
	}
	h.Write(buf)
	return hex.EncodeToString(h.Sum(nil))
}

// median returns the middle of v, or 0 if there is none; v is sorted in place.
func median(v []float32) float32 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
