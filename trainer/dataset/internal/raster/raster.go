package raster

import (
	"image"
	"image/color"
)

// Pic is an 8-bit picture: H rows of W pixels of C channels, interleaved, no padding.
type Pic struct {
	W, H, C int
	Pix     []uint8 // H*W*C
}

// New returns a black picture.
func New(w, h, c int) Pic { return Pic{W: w, H: h, C: c, Pix: make([]uint8, w*h*c)} }

// Row returns the samples of row y.
func (p Pic) Row(y int) []uint8 { return p.Pix[y*p.W*p.C : (y+1)*p.W*p.C] }

// Fill sets every sample to v.
func (p Pic) Fill(v uint8) { fill(p.Pix, v) }

// Crop returns a copy of the w x h part at x, y, which must lie inside.
func (p Pic) Crop(x, y, w, h int) Pic {
	q := New(w, h, p.C)
	for i := range h {
		copy(q.Row(i), p.Row(y + i)[x*p.C:])
	}
	return q
}

// FromImage converts to RGB. Transparency is ignored, not blended: colours are taken as stored.
func FromImage(m image.Image) Pic {
	r := m.Bounds()
	p := New(r.Dx(), r.Dy(), 3)
	if q, ok := m.(*image.RGBA); ok && q.Opaque() {
		m = &image.NRGBA{Pix: q.Pix, Stride: q.Stride, Rect: q.Rect}
	}
	switch m := m.(type) {
	case *image.YCbCr:
		fromYCbCr(p, m)
	case *image.NRGBA:
		for y := range p.H {
			drop4(p.Row(y), m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):])
		}
	case *image.Gray:
		for y := range p.H {
			row, src := p.Row(y), m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):]
			for x := range p.W {
				v := src[x]
				row[3*x], row[3*x+1], row[3*x+2] = v, v, v
			}
		}
	case *image.Paletted:
		fromPaletted(p, m)
	default:
		for y := range p.H {
			row := p.Row(y)
			for x := range p.W {
				c := color.NRGBAModel.Convert(m.At(r.Min.X+x, r.Min.Y+y)).(color.NRGBA)
				row[3*x], row[3*x+1], row[3*x+2] = c.R, c.G, c.B
			}
		}
	}
	return p
}

// fromYCbCr converts as color.YCbCrToRGB does. Pixels that share a sample of colour lie side by side.
func fromYCbCr(p Pic, m *image.YCbCr) {
	r := m.Bounds()
	wide := 1
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420:
		wide = 2
	case image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410:
		wide = 4
	}
	for y := range p.H {
		row, luma := p.Row(y), m.Y[m.YOffset(r.Min.X, r.Min.Y+y):][:p.W]
		for x := 0; x < p.W; {
			j, n := m.COffset(r.Min.X+x, r.Min.Y+y), min(wide-(r.Min.X+x)%wide, p.W-x)
			cb, cr := int32(m.Cb[j])-128, int32(m.Cr[j])-128
			red, green, blue := 91881*cr, -22554*cb-46802*cr, 116130*cb
			for _, v := range luma[x : x+n] {
				l, q := int32(v)*0x10101, row[3*x:3*x+3:3*x+3]
				q[0], q[1], q[2] = byteOf(l+red), byteOf(l+green), byteOf(l+blue)
				x++
			}
		}
	}
}

// byteOf is v/65536, rounded down and cut to 0..255.
func byteOf(v int32) uint8 {
	if uint32(v)&0xff000000 == 0 {
		return uint8(v >> 16)
	}
	return uint8(^(v >> 31))
}

func fromPaletted(p Pic, m *image.Paletted) {
	r := m.Bounds()
	var table [256][3]uint8
	for i, c := range m.Palette[:min(256, len(m.Palette))] {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		table[i] = [3]uint8{n.R, n.G, n.B}
	}
	for y := range p.H {
		row, src := p.Row(y), m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):]
		for x := range p.W {
			copy(row[3*x:], table[src[x]][:])
		}
	}
}

// drop4 copies RGB out of RGBA samples until dst (RGB) is full.
func drop4(dst, src []uint8) {
	for i, j := 0, 0; i < len(dst); i, j = i+3, j+4 {
		dst[i], dst[i+1], dst[i+2] = src[j], src[j+1], src[j+2]
	}
}
