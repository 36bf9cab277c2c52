package loss

// Heads is the raw output of the detection head for a batch, dense, anchors of all levels in a row.
// Legend: N images, A anchor points, R DFL bins per side, K classes.
type Heads struct {
	N, A, R, K int
	Box        []float32 // N*A*4*R logits; sides left, top, right, bottom
	Class      []float32 // N*A*K logits
	Points     []float32 // A*2 anchor centres, x then y, pixels
	Stride     []float32 // A, pixels
}

// Truth is one object of a batch: image index, class, corners in pixels of the network's input.
type Truth struct {
	Image, Class   int
	X0, Y0, X1, Y1 float32
}

// Parts are the three components before gains, for logging.
type Parts struct{ Box, Class, DFL float64 }
