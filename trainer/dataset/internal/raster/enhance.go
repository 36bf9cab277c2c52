package raster

// The operations of this file change RGB pictures in place and follow Pillow's ImageEnhance and ImageOps.
// Their gain is 1 for no change; 0 is the fully degenerate picture, more than 1 exaggerates.

// luma is Pillow's conversion to grey: ITU-R 601 weights in 16-bit fixed point.
func luma(r, g, b uint8) uint8 {
	return uint8((uint32(r)*19595 + uint32(g)*38470 + uint32(b)*7471 + 0x8000) >> 16)
}

// blend goes from a towards b by gain, and beyond it, truncated to 8 bits.
func blend(a, b uint8, gain float32) uint8 {
	switch v := float32(a) + float32(gain*float32(int(b)-int(a))); {
	case v <= 0:
		return 0
	case v >= 255:
		return 255
	default:
		return uint8(v)
	}
}

// apply maps every sample through the table.
func (p Pic) apply(table *[256]uint8) {
	for i, v := range p.Pix {
		p.Pix[i] = table[v]
	}
}

// apply3 maps the samples of each channel through its table.
func (p Pic) apply3(tables *[3][256]uint8) {
	for i := 0; i+2 < len(p.Pix); i += 3 {
		q := p.Pix[i : i+3 : i+3]
		q[0], q[1], q[2] = tables[0][q[0]], tables[1][q[1]], tables[2][q[2]]
	}
}

// Brightness blends with black.
func (p Pic) Brightness(gain float64) { p.towards(0, gain) }

// Contrast blends with the mean grey of the picture.
func (p Pic) Contrast(gain float64) {
	var sum int
	for i := 0; i+2 < len(p.Pix); i += 3 {
		sum += int(luma(p.Pix[i], p.Pix[i+1], p.Pix[i+2]))
	}
	p.towards(uint8(float64(sum)/float64(p.W*p.H)+.5), gain)
}

// towards blends with one grey value.
func (p Pic) towards(grey uint8, gain float64) {
	var t [256]uint8
	for i := range t {
		t[i] = blend(grey, uint8(i), float32(gain))
	}
	p.apply(&t)
}

// Colour blends with the grey picture.
func (p Pic) Colour(gain float64) {
	g := float32(gain)
	for i := 0; i+2 < len(p.Pix); i += 3 {
		q := p.Pix[i : i+3 : i+3]
		y := luma(q[0], q[1], q[2])
		q[0], q[1], q[2] = blend(y, q[0], g), blend(y, q[1], g), blend(y, q[2], g)
	}
}

// Sharpness blends with the picture smoothed by the 3x3 kernel of ones around 5, over 13; border pixels stay.
// scratch holds at least as many samples as the picture.
func (p Pic) Sharpness(gain float64, scratch []uint8) {
	src, g, n := scratch[:len(p.Pix)], float32(gain), p.W*p.C
	copy(src, p.Pix)
	for y := 1; y < p.H-1; y++ {
		above, here, below := src[(y-1)*n:y*n], src[y*n:(y+1)*n], src[(y+1)*n:(y+2)*n]
		dst := p.Pix[y*n : (y+1)*n]
		c := p.C
		for i := c; i < n-c; i++ {
			sum := uint32(above[i-c]) + uint32(above[i]) + uint32(above[i+c]) +
				uint32(here[i-c]) + 5*uint32(here[i]) + uint32(here[i+c]) +
				uint32(below[i-c]) + uint32(below[i]) + uint32(below[i+c])
			dst[i] = blend(uint8((2*sum+13)/26), here[i], g)
		}
	}
}

// Posterize keeps the upper bits of every sample, 0 to 8 of them.
func (p Pic) Posterize(bits int) {
	mask := uint8(0xff << (8 - bits))
	for i := range p.Pix {
		p.Pix[i] &= mask
	}
}

// Solarize inverts every sample at or above the threshold.
func (p Pic) Solarize(threshold int) {
	var t [256]uint8
	for i := range t {
		t[i] = uint8(i)
		if i >= threshold {
			t[i] = uint8(255 - i)
		}
	}
	p.apply(&t)
}

// Invert turns every sample v into 255 - v.
func (p Pic) Invert() {
	for i := range p.Pix {
		p.Pix[i] = 255 - p.Pix[i]
	}
}

// histograms counts the samples of each channel.
func (p Pic) histograms() (h [3][256]int) {
	for i := 0; i+2 < len(p.Pix); i += 3 {
		h[0][p.Pix[i]]++
		h[1][p.Pix[i+1]]++
		h[2][p.Pix[i+2]]++
	}
	return h
}

// AutoContrast stretches each channel to 0..255.
func (p Pic) AutoContrast() {
	h := p.histograms()
	var t [3][256]uint8
	for c := range t {
		lo, hi := 0, 255
		for lo < 255 && h[c][lo] == 0 {
			lo++
		}
		for hi > 0 && h[c][hi] == 0 {
			hi--
		}
		scale, offset := 1., 0.
		if hi > lo {
			scale = 255 / float64(hi-lo)
			offset = float64(-lo) * scale
		}
		for i := range t[c] {
			t[c][i] = clip8(int(float64(float64(i)*scale) + offset))
		}
	}
	p.apply3(&t)
}

// Equalize makes the histogram of each channel as flat as it can be.
func (p Pic) Equalize() {
	h := p.histograms()
	var t [3][256]uint8
	for c := range t {
		sum, last, kinds := 0, 0, 0
		for _, n := range h[c] {
			if n > 0 {
				sum, last, kinds = sum+n, n, kinds+1
			}
		}
		step := (sum - last) / 255
		n := step / 2
		for i := range t[c] {
			if kinds <= 1 || step == 0 {
				t[c][i] = uint8(i)
				continue
			}
			t[c][i] = clip8(n / step)
			n += h[c][i]
		}
	}
	p.apply3(&t)
}
