package dataset

import "image"

// Traits of picture files that training can use but people may not expect, as a sentence with their number.
const (
	traitDeep    = "%d pictures have 16 bits a channel: the upper 8 are used"
	traitGrey    = "%d pictures are grey: they are used as red = green = blue"
	traitClear   = "%d pictures have transparent parts: colours are used as stored"
	traitCMYK    = "%d pictures are CMYK: they are used as RGB, without colour profiles"
	traitTurned  = "%d pictures are turned by their EXIF orientation: they are used upright, and labels must be of the upright picture"
	traitTiny    = "%d pictures are smaller than 4 pixels on a side"
	traitStretch = "%d pictures are more than 20 times as wide as high, or the other way round"
)

// traitsOf lists what is unusual in a picture of an EXIF orientation.
func traitsOf(m image.Image, orientation int) []string {
	var traits []string
	add := func(yes bool, trait string) {
		if yes {
			traits = append(traits, trait)
		}
	}
	deep, grey, cmyk := false, false, false
	switch m.(type) {
	case *image.Gray16:
		deep, grey = true, true
	case *image.RGBA64, *image.NRGBA64:
		deep = true
	case *image.Gray:
		grey = true
	case *image.CMYK:
		cmyk = true
	}
	o, can := m.(interface{ Opaque() bool })
	add(deep, traitDeep)
	add(grey, traitGrey)
	add(cmyk, traitCMYK)
	add(can && !o.Opaque(), traitClear)
	add(orientation > 1, traitTurned)
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	add(min(w, h) < 4, traitTiny)
	add(max(w, h) > 20*min(w, h), traitStretch)
	return traits
}
