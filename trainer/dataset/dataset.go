package dataset

import "image"

// Box is one object: class from 0, corners in pixels of its image, x to the right and y down.
// X1 and Y1 are exclusive edges: width = X1-X0.
type Box struct {
	Class          int
	X0, Y0, X1, Y1 float32
	Crowd          bool    // COCO iscrowd: scored as a crowd, never trained on
	Area           float32 // annotated area in pixels; 0: width x height
}

// Outline is the edge of an object: one or more closed parts, each x, y, x, y ... in pixels of its image.
type Outline [][]float32

// Image is one decoded picture. Pix is RGB, interleaved, H*W*3 bytes, or nil where Options.Cache had no room: Pixels has
// them in any case.
type Image struct {
	Name     string
	W, H     int
	Pix      []uint8
	Boxes    []Box
	Outlines []Outline       // of Boxes, by index, nil for those that have none; nil: none has one
	Inner    image.Rectangle // where the picture lies, without the grey beside it; empty: everywhere

	again *again // nil: Pix has the pixels
}

// Dataset is a data set in RAM, every image resized (letterboxed, grey 114) to one square size.
type Dataset struct {
	Name    string
	Classes []string
	Size    int // pixels per side
	Train   []Image
	Val     []Image
	Test    []Image
	Hash    string   // SHA-256 over sources, pictures and boxes, hex
	Notes   []string // findings for people: broken files, dropped boxes
	Native  float32  // median source side / Size, to scale areas; 0: unknown
}
