package raster

import "math"

// Filter is a resampling kernel.
type Filter struct {
	support float64 // half width in source pixels at scale 1
	weight  func(x float64) float64
}

var (
	// Bilinear is the triangle; when shrinking it is widened to cover the area of a target pixel.
	Bilinear = Filter{1, func(x float64) float64 { return max(0, 1-math.Abs(x)) }}
	// Bicubic is Keys' cubic convolution with a = -0.5 (IEEE Trans. ASSP 29, 1981), widened likewise.
	Bicubic = Filter{2, func(x float64) float64 {
		const a = -.5
		switch x = math.Abs(x); {
		case x < 1:
			return ((a+2)*x-(a+3))*x*x + 1
		case x < 2:
			return (((x-5)*x+8)*x - 4) * a
		}
		return 0
	}}
)

// precision is the number of fractional bits of a kernel weight, as in Pillow's 8-bit resampler.
const precision = 22

// taps are the weighted source samples of each target sample along one axis.
type taps struct {
	first   []int   // first source index
	weights [][]int // fixed point
}

func makeTaps(in, out int, f Filter) taps {
	scale := float64(in) / float64(out)
	wide := max(scale, 1)
	support := f.support * wide
	t := taps{make([]int, out), make([][]int, out)}
	for i := range out {
		centre := float64(float64(float64(i)+.5) * scale)
		lo, hi := max(0, int(centre-support+.5)), min(in, int(centre+support+.5))
		ws := make([]float64, hi-lo)
		var sum float64
		for j := range ws {
			ws[j] = f.weight((float64(j+lo) - centre + .5) * (1 / wide))
			sum += ws[j]
		}
		t.first[i], t.weights[i] = lo, make([]int, len(ws))
		for j, w := range ws {
			if sum != 0 {
				w *= 1 / sum
			}
			t.weights[i][j] = int(float64(w*(1<<precision)) + math.Copysign(.5, w))
		}
	}
	return t
}

// Resize resamples to w x h: first along rows, then along columns (the other way round where that shrinks before
// it enlarges), each rounded to 8 bits. The picture itself comes back when the size already fits.
func (p Pic) Resize(w, h int, f Filter) Pic {
	if w > p.W && h < p.H {
		p = p.resizeColumns(h, f)
	}
	if w != p.W {
		p = p.resizeRows(w, f)
	}
	if h != p.H {
		p = p.resizeColumns(h, f)
	}
	return p
}

func (p Pic) resizeRows(w int, f Filter) Pic {
	q, t := New(w, p.H, p.C), makeTaps(p.W, w, f)
	for y := range p.H {
		src, dst := p.Row(y), q.Row(y)
		if p.C == 3 {
			t.rgb(src, dst)
			continue
		}
		for x := range w {
			at := t.first[x] * p.C
			for c := range p.C {
				sum := 1 << (precision - 1)
				for j, k := range t.weights[x] {
					sum += k * int(src[at+j*p.C+c])
				}
				dst[x*p.C+c] = clip8(sum >> precision)
			}
		}
	}
	return q
}

// rgb resamples one row of RGB.
func (t taps) rgb(src, dst []uint8) {
	for x, first := range t.first {
		r, g, b := 1<<(precision-1), 1<<(precision-1), 1<<(precision-1)
		from := src[3*first:]
		for _, k := range t.weights[x] {
			r, g, b = r+k*int(from[0]), g+k*int(from[1]), b+k*int(from[2])
			from = from[3:]
		}
		dst[3*x], dst[3*x+1], dst[3*x+2] = clip8(r>>precision), clip8(g>>precision), clip8(b>>precision)
	}
}

func (p Pic) resizeColumns(h int, f Filter) Pic {
	q, t := New(p.W, h, p.C), makeTaps(p.H, h, f)
	sums := make([]int, p.W*p.C)
	for y := range h {
		for i := range sums {
			sums[i] = 1 << (precision - 1)
		}
		for j, k := range t.weights[y] {
			for i, v := range p.Row(t.first[y] + j) {
				sums[i] += k * int(v)
			}
		}
		dst := q.Row(y)
		for i, s := range sums {
			dst[i] = clip8(s >> precision)
		}
	}
	return q
}

func clip8(v int) uint8 { return uint8(max(0, min(255, v))) }

// Grey is the value of letterbox borders and of what an affine map leaves uncovered.
const Grey = 114

// Letterbox fits the picture into size x size without changing its shape: scaled by scale, then placed at x, y
// on grey. A picture that fits already comes back as it is.
func (p Pic) Letterbox(size int) (q Pic, scale float64, x, y int) {
	if p.W == size && p.H == size {
		return p, 1, 0, 0
	}
	scale = float64(size) / float64(max(p.W, p.H))
	w := max(1, int(math.Round(float64(p.W)*scale)))
	h := max(1, int(math.Round(float64(p.H)*scale)))
	small := p.Resize(w, h, Bilinear)
	x, y = (size-w)/2, (size-h)/2
	q = New(size, size, p.C)
	q.Fill(Grey)
	for i := range h {
		copy(q.Row(y + i)[x*p.C:], small.Row(i))
	}
	return q, scale, x, y
}
