package batches_test

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/batches"
	"github.com/mapsweep/mapsweep/trainer/dataset/datasettest"
)

// One image an operation: decode + resize + augment of a 640 x 480 JPEG to 320 (nothing cached, mosaics of four), and
// augment alone (all cached), with one loader and with two.
func BenchmarkBatches(b *testing.B) {
	root, side := datasettest.WriteYOLO(b, []string{"a", "b", "c"}, images(1), images(1)), 320
	p := image.NewYCbCr(image.Rect(0, 0, 640, 480), image.YCbCrSubsampleRatio420)
	for i := range p.Y {
		p.Y[i] = uint8(i*i/977 + i/640)
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, p, &jpeg.Options{Quality: 90}); err != nil {
		b.Fatal(err)
	}
	for i := range 16 {
		name := filepath.Join(root, "images", "train", fmt.Sprintf("j%02d.jpg", i))
		if err := os.WriteFile(name, file.Bytes(), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	for _, c := range []struct {
		name  string
		cache int64
	}{{"decode", -1}, {"cached", 0}} {
		d, err := dataset.Load(b.Context(), root, dataset.Options{Size: side, Cache: c.cache})
		if err != nil {
			b.Fatal(err)
		}
		for _, k := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/%d", c.name, k), func(b *testing.B) {
				p := plan(len(d.Train), (b.N+batch-1)/batch)
				p.Values = batch * side * side * 3
				l := batches.Start(b.Context(), p, samplers(b, d.Train, k)...)
				defer l.Close()
				b.ReportAllocs()
				b.ResetTimer()
				for i := 0; i < b.N; i += batch {
					if _, err := l.Next(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
