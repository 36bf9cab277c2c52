package augment

import (
	"math"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/stream"
)

// opSide keys the streams of the sizes of batches, by the batch's number in the place of a position.
const opSide = 50

// Side is how many pixels a side the pictures of a batch get in training at several scales: a whole number drawn evenly
// from (1-share) size to below (1+share) size + multiple, rounded down to a multiple. This is how YOLO's trainers choose
// it, with a share of one half. Share 0 is size itself.
func Side(seed int64, epoch, batch, size, multiple int, share float64) int {
	low, most := sides(size, share)
	if low == most {
		return size
	}
	return max(multiple, (low+stream.New(seed, epoch, batch, opSide).IntN(most-low+multiple))/multiple*multiple)
}

// MostSide is the largest side that Side can give.
func MostSide(size, multiple int, share float64) int {
	_, most := sides(size, share)
	return (most + multiple - 1) / multiple * multiple
}

// LeastSide is the smallest side that Side can give.
func LeastSide(size, multiple int, share float64) int {
	low, _ := sides(size, share)
	return max(multiple, low/multiple*multiple)
}

// sides are the smallest and the largest side before rounding. The small terms are for products that miss a whole number.
func sides(size int, share float64) (low, most int) {
	return int(math.Ceil((1-share)*float64(size) - 1e-9)), int(math.Floor((1+share)*float64(size) + 1e-9))
}

// resized writes the sample of this augmenter's size to out, which is of another: bilinear between the middles of pixels,
// as PyTorch's interpolate does without align_corners and antialias.
func (a *Augmenter) resized(out []float32, side int) {
	taps := linear(a.size, side)
	in, n := a.full, a.size*3
	for y, v := range taps {
		upper, lower, w := in[v.from*n:][:n], in[v.to*n:][:n], v.weight
		row := out[y*side*3:][:side*3]
		for x, u := range taps {
			i, j := 3*u.from, 3*u.to
			for c := range 3 {
				top := upper[i+c] + float32((upper[j+c]-upper[i+c])*u.weight)
				bottom := lower[i+c] + float32((lower[j+c]-lower[i+c])*u.weight)
				row[3*x+c] = top + float32((bottom-top)*w)
			}
		}
	}
}

// scale multiplies the corners of boxes.
func scale(boxes []dataset.Box, by float32) {
	for i := range boxes {
		b := &boxes[i]
		b.X0, b.Y0, b.X1, b.Y1 = b.X0*by, b.Y0*by, b.X1*by, b.Y1*by
	}
}

// tap is where a pixel of the result lies between two of the source, and the second one's weight.
type tap struct {
	from, to int
	weight   float32
}

func linear(from, to int) []tap {
	taps := make([]tap, to)
	for i := range taps {
		at := max(0, (float64(i)+.5)*float64(from)/float64(to)-.5)
		first := min(int(at), from-1)
		taps[i] = tap{first, min(first+1, from-1), float32(at - float64(first))}
	}
	return taps
}
