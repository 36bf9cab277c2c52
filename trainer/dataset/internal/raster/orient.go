package raster

import (
	"bytes"
	"encoding/binary"
)

// Orientation reads the EXIF orientation of a JPEG file, 1 to 8; 1 (upright) if it has none.
func Orientation(file []byte) int {
	if len(file) < 4 || file[0] != 0xff || file[1] != 0xd8 {
		return 1
	}
	for b := file[2:]; len(b) >= 4 && b[0] == 0xff && b[1] != 0xda; {
		n := int(binary.BigEndian.Uint16(b[2:]))
		if n < 2 || len(b) < 2+n {
			return 1
		}
		if tiff, ok := bytes.CutPrefix(b[4:2+n], []byte("Exif\x00\x00")); ok && b[1] == 0xe1 {
			return tiffOrientation(tiff)
		}
		b = b[2+n:]
	}
	return 1
}

// tiffOrientation looks for tag 0x0112 in the first directory of a TIFF structure.
func tiffOrientation(b []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(b, []byte("MM")) {
		order = binary.BigEndian
	}
	if len(b) < 8 {
		return 1
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 1
	}
	entries := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == 0x0112 {
			if o := int(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}

// Upright turns and mirrors a picture of an EXIF orientation so that it stands as it is meant to be seen.
func (p Pic) Upright(orientation int) Pic {
	if orientation <= 1 || orientation > 8 {
		return p
	}
	q := New(p.W, p.H, p.C)
	if orientation >= 5 {
		q.W, q.H = p.H, p.W
	}
	for y := range q.H {
		for x := range q.W {
			sx, sy := x, y
			switch orientation {
			case 2:
				sx = p.W - 1 - x
			case 3:
				sx, sy = p.W-1-x, p.H-1-y
			case 4:
				sy = p.H - 1 - y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, p.H-1-x
			case 7:
				sx, sy = p.W-1-y, p.H-1-x
			case 8:
				sx, sy = p.W-1-y, x
			}
			copy(q.Row(y)[x*p.C:(x+1)*p.C], p.Row(sy)[sx*p.C:])
		}
	}
	return q
}
