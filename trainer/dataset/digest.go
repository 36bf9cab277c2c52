package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
)

// digest is SHA-256 over size, classes and, for each split, the number of its images, and their names, pixels, boxes
// and outlines.
type digest struct {
	h   hash.Hash
	buf []byte // not yet hashed
}

func newDigest(size int, classes []string) *digest {
	d := &digest{h: sha256.New()}
	d.number(uint64(size))
	d.number(uint64(len(classes)))
	for _, c := range classes {
		d.text(c)
	}
	return d
}

func (d *digest) number(v uint64) { d.buf = binary.LittleEndian.AppendUint64(d.buf, v) }
func (d *digest) text(s string)   { d.number(uint64(len(s))); d.buf = append(d.buf, s...) }
func (d *digest) value(v float32) {
	d.buf = binary.LittleEndian.AppendUint32(d.buf, math.Float32bits(v))
}
func (d *digest) flush(more []byte) { d.h.Write(d.buf); d.h.Write(more); d.buf = d.buf[:0] }

// split begins a split of n images.
func (d *digest) split(n int) { d.number(uint64(n)) }

// image adds the next image; outlines count where there are any.
func (d *digest) image(m *Image, pix []uint8) {
	d.text(m.Name)
	d.number(uint64(m.W))
	d.number(uint64(m.H))
	d.number(uint64(len(m.Boxes)))
	for _, b := range m.Boxes {
		d.number(uint64(b.Class))
		for _, v := range []float32{b.X0, b.Y0, b.X1, b.Y1, b.Area} {
			d.value(v)
		}
		if b.Crowd {
			d.buf = append(d.buf, 1)
		} else {
			d.buf = append(d.buf, 0)
		}
	}
	for _, o := range m.Outlines {
		d.number(uint64(len(o)))
		for _, part := range o {
			d.number(uint64(len(part)))
			for _, v := range part {
				d.value(v)
			}
		}
	}
	d.flush(pix)
}

// end is the digest in hex.
func (d *digest) end() string {
	d.flush(nil)
	return hex.EncodeToString(d.h.Sum(nil))
}
