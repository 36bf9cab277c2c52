package augment_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
)

// Samples of earlier versions are pinned: recorded results and checkpoints in the middle of an epoch depend on them.
// The figures are our own, from the version before mosaics of nine and turns came.
func TestSamplesPinned(t *testing.T) {
	images := coded(20)
	for name, c := range map[string]struct {
		settings augment.Settings
		want     string
	}{
		"plain":      {augment.Settings{}, "5cbc56f99ad994e2"},
		"quickstart": {augment.Settings{Mosaic: 1, MixUp: .15, CopyPaste: .3, HSV: 1}, "836faa1c2451d697"},
		"zoom":       {augment.Settings{Scale: .5, Translate: .2, FlipLR: .5, FlipUD: .5}, "47f47413556b00cd"},
		"everything": {everything, "021eabc337e26517"},
	} {
		sample := maker(t, images, c.settings)
		h := sha256.New()
		for pos := range 40 {
			out, boxes := sample(3, 1, pos, pos%20)
			var b []byte
			for _, v := range out {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
			}
			h.Write(b)
			for _, x := range boxes {
				fmt.Fprintln(h, x.Class, x.X0, x.Y0, x.X1, x.Y1)
			}
		}
		if got := fmt.Sprintf("%x", h.Sum(nil))[:16]; got != c.want {
			t.Errorf("%s: samples %s, want %s", name, got, c.want)
		}
	}
}
