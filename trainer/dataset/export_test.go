package dataset

import "github.com/mapsweep/mapsweep/trainer/dataset/shipped"

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
