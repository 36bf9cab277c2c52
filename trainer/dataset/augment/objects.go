package augment

import "github.com/mapsweep/mapsweep/trainer/dataset"

// MostObjects is a number of objects that no sample of these images exceeds: as if each were made of the picture with the
// most of them.
func MostObjects(images []dataset.Image, s Settings) int {
	most := 0
	for i := range images {
		n := 0
		for _, b := range images[i].Boxes {
			if !b.Crowd {
				n++
			}
		}
		most = max(most, n)
	}
	if s.Mosaic > 0 {
		most *= 4
		if s.Mosaic9 > 0 {
			most = most / 4 * 9
		}
	}
	if s.CopyPastePolygons > 0 {
		most *= 2
	}
	if s.CopyPaste > 0 {
		most += pastes
	}
	if s.Mosaic > 0 && s.MixUp > 0 {
		most *= 2
	}
	return most
}
