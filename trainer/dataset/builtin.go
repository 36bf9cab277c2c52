package dataset

import (
	"context"
	"fmt"
	"strings"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
	"github.com/mapsweep/mapsweep/trainer/dataset/shipped"
)

// loadBuiltin makes a built-in data set; name comes without its prefix.
func loadBuiltin(ctx context.Context, name string, opts Options) (*Dataset, error) {
	if name == "trees" {
		return trees(ctx, opts.Size)
	}
	if s, ok := scenes[name]; ok {
		return digits(ctx, s, opts.Size)
	}
	return nil, fmt.Errorf("no such built-in data: want one of %s: %w", strings.Join(Builtins(), ", "), trainer.ErrNoData)
}

// tile is the side in pixels of the tiles that the embedded pictures are cut into.
const tile = 192

// trainColumns is the number of tile columns at the left of the big picture that serve for training;
// those to the right of them serve for validation. No pixel serves for both.
const trainColumns = 8

// trees cuts all three pictures into 192 px tiles: 130 for training, 36 for validation. A crown belongs to a tile if
// at least 40 % of its area and more than 5 px a side lie inside.
func trees(ctx context.Context, size int) (*Dataset, error) {
	d := &Dataset{Classes: []string{"tree"}, Native: float32(tile) / float32(size)}
	for _, name := range []string{shipped.Big, shipped.Side, shipped.Small} {
		m, err := shipped.Picture(name)
		if err != nil {
			return nil, err
		}
		crowns, err := shipped.Crowns(name)
		if err != nil {
			return nil, err
		}
		p := raster.FromImage(m)
		for y := 0; y+tile <= p.H; y += tile {
			for x := 0; x+tile <= p.W; x += tile {
				if err := context.Cause(ctx); err != nil {
					return nil, err
				}
				q := p.Crop(x, y, tile, tile).Resize(size, size, raster.Bicubic)
				t := Image{Name: fmt.Sprintf("%s-%d-%d", name, y/tile, x/tile), W: size, H: size, Pix: q.Pix, Boxes: crownsIn(crowns, x, y, size)}
				if name == shipped.Big && x >= trainColumns*tile {
					d.Val = append(d.Val, t)
				} else {
					d.Train = append(d.Train, t)
				}
			}
		}
	}
	return d, nil
}

// crownsIn returns the boxes of the tile at x, y, scaled to size.
func crownsIn(crowns [][4]float32, x, y, size int) []Box {
	const least, side = .4, 5
	var boxes []Box
	inside := func(v float32, from int) float32 { return max(0, min(tile, v-float32(from))) }
	scale := float32(size) / tile
	for _, c := range crowns {
		x0, y0, x1, y1 := inside(c[0], x), inside(c[1], y), inside(c[2], x), inside(c[3], y)
		w, h := x1-x0, y1-y0
		if w > side && h > side && float64(w*h) >= float64(least*float64(c[2]-c[0]))*float64(c[3]-c[1]) {
			boxes = append(boxes, Box{X0: x0 * scale, Y0: y0 * scale, X1: x1 * scale, Y1: y1 * scale})
		}
	}
	return boxes
}
