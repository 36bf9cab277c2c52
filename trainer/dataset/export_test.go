package dataset

import (
	"log/slog"
	"strings"

	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
	"github.com/mapsweep/mapsweep/trainer/dataset/shipped"
)

// DigitPools returns the digits that train and the other splits draw from, by class, and how many digits there are.
func DigitPools(classes int) (train, rest [][]int, all int) {
	glyphs, err := shipped.Digits()
	if err != nil {
		panic(err)
	}
	for _, g := range glyphs {
		if g.Class < classes {
			all++
		}
	}
	c := composer{scene: scene{classes: classes}, glyphs: glyphs}
	return c.pool(false), c.pool(true), all
}

// Read runs a text through the reader of a format and fits what comes out to a w x h picture at the given size. ok is
// false if the text is refused.
func Read(format, text string, classes, w, h, size int) (m Image, ok bool) {
	it := item{}
	switch format {
	case "yolo":
		it.relative = true
		it.boxes = parseYOLO(strings.NewReader(text), classes, func(string, int, string) {})
	case "voc":
		v, err := parseVOC([]byte(text))
		if err != nil {
			return m, false
		}
		for _, o := range v.Objects {
			if b, err := o.box([]string{o.Name}); err == nil {
				it.boxes = append(it.boxes, rawBox{Box: b})
			}
		}
	case "coco":
		c, err := parseCOCO([]byte(text))
		if err != nil {
			return m, false
		}
		ids, _ := c.classes()
		for _, boxes := range c.boxes("", ids, &notes{log: slog.New(slog.DiscardHandler)}) {
			it.boxes = append(it.boxes, boxes...)
		}
	}
	m, _ = fit(it, raster.New(w, h, 3), size)
	return m, true
}

// Decode decodes a picture file's bytes, and says how large it came out.
func Decode(b []byte) (w, h, pixels int, err error) {
	p, _, err := decode(b)
	return p.W, p.H, len(p.Pix), err
}
