package augment

// Recipe says how the picture of a sample is made from the pictures of the data set, with everything random decided:
// layers, blended where there are two, changed, coloured, flipped, resized. What depends on pixels, like the stretch of
// AutoContrast, is left to who carries the recipe out. Pixel i of a row or column covers i to i+1.
type Recipe struct {
	Side    int      // of the finished picture, pixels
	Layers  []Layer  // the sample, and where there is one the partner of its mixup
	Weight  float64  // of the first of two layers, 0..1; the second one has the rest
	Changes []Change // of the first layer, in order
	Colour  Colour

	FlipLR, FlipUD bool // left and right, top and bottom are swapped
}

// Layer is a picture of the data set's size: a view of a stage on which parts of pictures lie.
type Layer struct {
	Stage    int         // its side, pixels: that of the pictures, or twice as much
	Parts    []Part      // in this order, later ones over earlier ones; a stage of twice the side is grey 114 beside them, a smaller one covered
	Mirrored [][]float32 // polygons x, y, x, y ... of the stage that show it mirrored left and right, without Pasted
	Pasted   []Part      // over all these
	Seen     bool        // through View; or else the layer is the stage
	View     [9]float64  // a projection from the layer to the stage, by rows; what comes from outside is grey
}

// Part is a rectangle of a picture, W x H pixels from FromX, FromY on, which must lie in it, and where its corner comes to
// lie on the stage, where it must lie as well.
type Part struct{ Image, FromX, FromY, X, Y, W, H int32 }

// ChangeKind is what a Change does.
type ChangeKind int32

// Changes of a whole picture, as Pillow's ImageEnhance and ImageOps make them. Gain is 1 for none, 0 to 2.
const (
	Brightness   ChangeKind = 1 + iota // blends with black by Gain
	Contrast                           // blends with the mean grey of the picture
	Saturation                         // blends with the grey picture
	Sharpness                          // blends with the smoothed picture
	Posterize                          // keeps the upper Level bits of each sample
	Solarize                           // inverts samples from Level on
	AutoContrast                       // stretches each channel to 0..255
	Equalize                           // makes the histogram of each channel flat
	Invert                             // inverts all samples
	Project                            // shows the picture through View, as Layer.View does
)

// Change is an operation on a picture. Fields that its kind does not name are 0.
type Change struct {
	Kind  ChangeKind
	Level int32
	Gain  float64
	View  [9]float64
}

// Colour says how bytes become values 0..1: divided by 255, then changed as Mode says, "" for not at all.
type Colour struct {
	Mode   string     // "", Linear or Exact
	Matrix [9]float32 // Linear: red, green and blue of the result by rows, then clipped to 0..1
	Scale  [3]float32 // Exact: factors of hue, saturation and value
}

// layer starts the layer n of the recipe: the sample, or the partner of its mixup.
func (r *Recipe) layer(n, side int) *Layer {
	r.Layers = r.Layers[:n+1]
	l := &r.Layers[n]
	l.Stage, l.Seen = side, false
	l.Parts, l.Mirrored, l.Pasted = l.Parts[:0], l.Mirrored[:0], l.Pasted[:0]
	return l
}
