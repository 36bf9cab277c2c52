package dataset

// Box is one object: class from 0, corners in pixels of its image, x to the right and y down.
// X1 and Y1 are exclusive edges: width = X1-X0.
type Box struct {
	Class          int
	X0, Y0, X1, Y1 float32
	Crowd          bool    // COCO iscrowd: scored as a crowd, never trained on
	Area           float32 // annotated area in pixels; 0: width x height
}

// Image is one decoded picture. Pix is RGB, interleaved, H*W*3 bytes.
type Image struct {
	Name  string
	W, H  int
	Pix   []uint8
	Boxes []Box
}

// Dataset is all of a data set in RAM, every image resized (letterboxed, grey 114) to one square size.
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
