package augment

import "fmt"

// Names of Settings.AutoAugment; "" means None.
const (
	None        = "none"
	RandAugment = "randaugment"
	AutoAugment = "autoaugment"
)

// Names of Settings.MosaicLayout; "" means Crops.
const (
	Crops = "crops" // a crop of each picture fills its part of the sample
	Whole = "whole" // whole pictures lie on a canvas of twice the side; the sample is a view of it
)

// Names of Settings.HSVMode; "" means Linear.
const (
	Linear = "linear" // a linear map of colours that is close to a change of hue, saturation and value where that is small
	Exact  = "hsv"    // the change itself, hue scaled instead of turned, as YOLO's trainers do it
)

// Settings are the knobs. The zero value changes nothing.
type Settings struct {
	Mosaic       float64 // probability of a mosaic, 0..1
	Mosaic9      float64 // share of mosaics that have nine pictures instead of four, 0..1
	MosaicLayout string  // Crops or Whole
	MixUp        float64 // probability of blending with a second sample, 0..1; only where mosaics are made
	CopyPaste    float64 // probability of pasting three boxes of other pictures, 0..1

	// CopyPastePolygons is the share of a mosaic's outlined objects that are pasted once more, mirrored, 0..1.
	CopyPastePolygons float64

	HSV       float64 // gain of colour changes within HSVRanges; 0: off
	HSVRanges *HSV    // nil: DefaultHSV
	HSVMode   string  // Linear or Exact
	FlipLR    float64 // probability of swapping left and right, 0..1
	FlipUD    float64 // probability of swapping up and down, 0..1
	Scale     float64 // zoom by 1 +- Scale, 0 to less than 1
	Translate float64 // move by +- Translate, share of the side, 0..1

	Degrees     float64 // turn by +- Degrees, 0..180
	Shear       float64 // shear either axis by +- Shear degrees, 0..60
	Perspective float64 // tilt by +- Perspective per pixel of the sample, 0..0.002

	KeepArea float64 // a cut box stays if this share of its area is left, 0..1; 0: DefaultKeepArea
	KeepSide float64 // and so many pixels of each side, to 64; 0: DefaultKeepSide

	AutoAugment string // None, RandAugment or AutoAugment
	RandN       int    // operations of RandAugment a sample; 0: DefaultRandN
	RandM       int    // their magnitude, 1 to 30; 0: DefaultRandM
	Geometry    bool   // RandAugment and AutoAugment also shear, move and turn, and boxes follow

	CloseMosaic bool // begin with mosaics (and mixup with them) closed: see Augmenter.CloseMosaic
}

// Defaults.
const (
	DefaultRandN = 2
	DefaultRandM = 9
	maxRandM     = 30

	DefaultKeepArea = .4
	DefaultKeepSide = 4
)

// HSV are the ranges of colour changes at gain 1: hue by +- this share of a turn (under Exact, of itself), saturation and
// value by +- this share.
type HSV struct{ Hue, Saturation, Value float64 }

// DefaultHSV are YOLO's ranges.
var DefaultHSV = HSV{.015, .7, .4}

// check names the first setting out of its range.
func (s Settings) check() error {
	for _, p := range []struct {
		name   string
		v, max float64
	}{{"mosaic", s.Mosaic, 1}, {"mosaic9", s.Mosaic9, 1}, {"mixup", s.MixUp, 1}, {"copy_paste", s.CopyPaste, 1},
		{"copy_paste_polygons", s.CopyPastePolygons, 1}, {"hsv", s.HSV, 1},
		{"hsv_h", s.ranges().Hue, .5}, {"hsv_s", s.ranges().Saturation, 1}, {"hsv_v", s.ranges().Value, 1},
		{"fliplr", s.FlipLR, 1}, {"flipud", s.FlipUD, 1}, {"scale", s.Scale, .99}, {"translate", s.Translate, 1},
		{"degrees", s.Degrees, 180}, {"shear", s.Shear, 60}, {"perspective", s.Perspective, .002}, {"keep_area", s.KeepArea, 1},
		{"keep_side", s.KeepSide, 64}} {
		if !(p.v >= 0 && p.v <= p.max) {
			return fmt.Errorf("%s is %v: want 0 to %v", p.name, p.v, p.max)
		}
	}
	switch s.AutoAugment {
	case "", None, RandAugment, AutoAugment:
	default:
		return fmt.Errorf("autoaugment is %q: want %s, %s or %s", s.AutoAugment, None, RandAugment, AutoAugment)
	}
	if s.HSVMode != "" && s.HSVMode != Linear && s.HSVMode != Exact {
		return fmt.Errorf("hsv_mode is %q: want %s or %s", s.HSVMode, Linear, Exact)
	}
	if s.MosaicLayout != "" && s.MosaicLayout != Crops && s.MosaicLayout != Whole {
		return fmt.Errorf("mosaic_layout is %q: want %s or %s", s.MosaicLayout, Crops, Whole)
	}
	if s.RandN < 0 || s.RandM < 0 || s.RandM > maxRandM {
		return fmt.Errorf("randaugment has %d operations of magnitude %d: want 0 or more, of 0 to %d", s.RandN, s.RandM, maxRandM)
	}
	return nil
}

// filled has the defaults in the place of zeros.
func (s Settings) filled() Settings {
	if s.RandN == 0 {
		s.RandN = DefaultRandN
	}
	if s.RandM == 0 {
		s.RandM = DefaultRandM
	}
	if s.KeepArea == 0 {
		s.KeepArea = DefaultKeepArea
	}
	if s.KeepSide == 0 {
		s.KeepSide = DefaultKeepSide
	}
	return s
}

// turns says whether objects turn, so that outlines give truer boxes than corners do.
func (s Settings) turns() bool {
	return s.Degrees > 0 || s.Shear > 0 || s.Perspective > 0 || s.Geometry
}

func (s Settings) ranges() HSV {
	if s.HSVRanges == nil {
		return DefaultHSV
	}
	return *s.HSVRanges
}
