package augment_test

import (
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
)

// TestSheets draws samples of each augmentation with their boxes, for people to look at: 24 samples a file, in the
// folder that MAPSWEEP_SHEETS names. MAPSWEEP_SHEETS_DATA is the data set, by default builtin:trees, whose
// boxes get ellipses as outlines.
func TestSheets(t *testing.T) {
	dir := os.Getenv("MAPSWEEP_SHEETS")
	if dir == "" {
		t.Skip("MAPSWEEP_SHEETS names no folder to draw to")
	}
	ref := os.Getenv("MAPSWEEP_SHEETS_DATA")
	if ref == "" {
		ref = "builtin:trees"
	}
	d, err := dataset.Load(t.Context(), ref, dataset.Options{Size: 160})
	if err != nil {
		t.Fatal(err)
	}
	for i := range d.Train {
		if m := &d.Train[i]; m.Outlines == nil {
			for _, b := range m.Boxes {
				m.Outlines = append(m.Outlines, ellipse(b))
			}
		}
	}
	for name, s := range map[string]augment.Settings{
		"plain":              {},
		"mosaic4":            {Mosaic: 1},
		"mosaic9":            {Mosaic: 1, Mosaic9: 1},
		"mosaic4-whole":      {Mosaic: 1, MosaicLayout: augment.Whole},
		"mosaic9-whole":      {Mosaic: 1, Mosaic9: 1, MosaicLayout: augment.Whole},
		"mosaic4-whole-zoom": {Mosaic: 1, MosaicLayout: augment.Whole, Scale: .9, Translate: .1},
		"mosaic9-whole-zoom": {Mosaic: 1, Mosaic9: 1, MosaicLayout: augment.Whole, Scale: .9, Translate: .1},
		"mixup":              {Mosaic: 1, MixUp: 1},
		"paste-boxes":        {CopyPaste: 1},
		"paste-polygons":     {Mosaic: 1, MosaicLayout: augment.Whole, CopyPastePolygons: 1},
		"degrees":            {Degrees: 45},
		"shear":              {Shear: 20},
		"perspective":        {Perspective: .002},
		"view":               {Mosaic: 1, MosaicLayout: augment.Whole, Degrees: 20, Shear: 10, Scale: .5, Translate: .1, Perspective: .001},
		"hsv":                {HSV: 1},
		"hsv-exact":          {HSV: 1, HSVMode: augment.Exact},
		"flips":              {FlipLR: .5, FlipUD: .5},
		"randaugment":        {AutoAugment: augment.RandAugment},
		"randaugment-geo":    {AutoAugment: augment.RandAugment, Geometry: true, RandM: 15},
		"autoaugment":        {AutoAugment: augment.AutoAugment},
		"autoaugment-geo":    {AutoAugment: augment.AutoAugment, Geometry: true},
	} {
		sample := maker(t, d.Train, s)
		drawSheet(t, filepath.Join(dir, name+".png"), d.Size, func(i int) ([]float32, []dataset.Box) { return sample(1, 0, i, i%len(d.Train)) })
	}
}

// ellipse is the outline that fills a box.
func ellipse(b dataset.Box) dataset.Outline {
	var p []float32
	for i := range 24 {
		sin, cos := math.Sincos(float64(i) / 12 * math.Pi)
		p = append(p, (b.X0+b.X1)/2+float32(cos)*(b.X1-b.X0)/2, (b.Y0+b.Y1)/2+float32(sin)*(b.Y1-b.Y0)/2)
	}
	return dataset.Outline{p}
}

// drawSheet writes 4 rows of 6 samples with their boxes.
func drawSheet(t *testing.T, file string, side int, sample func(int) ([]float32, []dataset.Box)) {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, 6*(side+2), 4*(side+2)))
	for i := range 24 {
		x, y := i%6*(side+2), i/6*(side+2)
		out, boxes := sample(i)
		for j := range side * side {
			m.SetNRGBA(x+j%side, y+j/side, color.NRGBA{uint8(out[3*j] * 255), uint8(out[3*j+1] * 255), uint8(out[3*j+2] * 255), 255})
		}
		for _, b := range boxes {
			frame(m, x+int(b.X0), y+int(b.Y0), x+int(b.X1)-1, y+int(b.Y1)-1)
		}
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
}

func frame(m *image.NRGBA, x0, y0, x1, y1 int) {
	ink := color.NRGBA{255, 40, 40, 255}
	for x := x0; x <= x1; x++ {
		m.SetNRGBA(x, y0, ink)
		m.SetNRGBA(x, y1, ink)
	}
	for y := y0; y <= y1; y++ {
		m.SetNRGBA(x0, y, ink)
		m.SetNRGBA(x1, y, ink)
	}
}
