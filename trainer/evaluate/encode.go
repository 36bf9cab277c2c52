package evaluate

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// Matches are encoded as (numbers are unsigned varints unless a size is given):
//
//	magic      8 bytes "msmatch1"; the last is the version
//	pictures   16 bytes: the hash
//	images     number
//	classes    number; of each the length of its name and the name
//	patterns   number, the most frequent first; of each 1 byte limit, then for each area range 2 bytes right and
//	           2 bytes ignored, little-endian
//	classes    of each in turn
//	  objects    number of images with objects; of each the distance from the image before, less one, and 4 counts
//	  detections number; then the pattern of each, then the image of each, by falling score
//
// Nothing follows. A store compresses it.
const matchesMagic = "msmatch1"

// Limits of what is read, far above any data set: they bound what a damaged file can make us allocate or add up.
const (
	maxImages  = 1 << 24
	maxObjects = 1 << 24 // in all, and so of an image, class and area range
	patternLen = 1 + 4*numAreas
)

// ErrNoMatches is returned for bytes that are no matches, cut off or damaged, or of a newer version.
var ErrNoMatches = errors.New("not usable matches")

// Encode writes m.
func (m *Matches) Encode() ([]byte, error) {
	hash, err := hex.DecodeString(m.Pictures)
	if err != nil || len(hash) != picturesSize {
		return nil, fmt.Errorf("encode matches: the hash of the pictures is %q: want %d bytes in hex", m.Pictures, picturesSize)
	}
	b := append([]byte(matchesMagic), hash...)
	put := func(v int) { b = binary.AppendUvarint(b, uint64(v)) }
	put(m.Images)
	put(len(m.Classes))
	for _, name := range m.Classes {
		put(len(name))
		b = append(b, name...)
	}
	put(len(m.patterns))
	for _, p := range m.patterns {
		b = append(b, p.limit)
		for a := range numAreas {
			b = binary.LittleEndian.AppendUint16(b, p.right[a])
			b = binary.LittleEndian.AppendUint16(b, p.ignored[a])
		}
	}
	for _, c := range m.classes {
		put(len(c.truths))
		before := -1
		for _, t := range c.truths {
			put(t.image - before - 1)
			before = t.image
			for _, n := range t.count {
				put(n)
			}
		}
		put(len(c.found))
		for _, f := range c.found {
			put(int(f.pattern))
		}
		for _, f := range c.found {
			put(int(f.image))
		}
	}
	return b, nil
}

// DecodeMatches reads what Encode wrote. Anything else is an error that wraps ErrNoMatches, never a panic.
func DecodeMatches(data []byte) (*Matches, error) {
	d := matchesReader{left: data}
	m := d.matches()
	if d.err == nil && len(d.left) > 0 {
		d.fail("%d bytes too many", len(d.left))
	}
	if d.err != nil {
		return nil, fmt.Errorf("decode matches: %w", d.err)
	}
	return m, nil
}

// matchesReader reads fields until the first fault.
type matchesReader struct {
	left    []byte
	err     error
	objects int // read so far, over classes
}

func (d *matchesReader) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: "+format, append([]any{ErrNoMatches}, args...)...)
		d.left = nil
	}
}

// take reads n bytes; nil after a fault.
func (d *matchesReader) take(n int) []byte {
	if n > len(d.left) {
		d.fail("cut off")
	}
	if d.err != nil {
		return nil
	}
	b := d.left[:n:n]
	d.left = d.left[n:]
	return b
}

// number reads a number below limit; 0 after a fault.
func (d *matchesReader) number(limit int, what string) int {
	v, n := binary.Uvarint(d.left)
	switch {
	case d.err != nil:
		return 0
	case n <= 0:
		d.fail("cut off at %s", what)
		return 0
	case v >= uint64(limit):
		d.fail("%s is %d, which is too large", what, v)
		return 0
	}
	d.left = d.left[n:]
	return int(v)
}

// length reads how many things follow, of at least size bytes each.
func (d *matchesReader) length(size int, what string) int {
	return d.number(len(d.left)/size+1, what)
}

func (d *matchesReader) matches() *Matches {
	if b := d.take(len(matchesMagic)); d.err == nil && string(b) != matchesMagic {
		if bytes.HasPrefix(b, []byte(matchesMagic[:7])) {
			d.fail("they are of version %q, this program reads %q", b[7:], matchesMagic[7:])
		}
		d.fail("they do not begin as such")
	}
	m := &Matches{Pictures: hex.EncodeToString(d.take(picturesSize))}
	m.Images = d.number(maxImages, "the number of images")
	for range d.length(1, "the number of classes") {
		m.Classes = append(m.Classes, string(d.take(d.length(1, "the length of a name"))))
	}
	for range d.length(patternLen, "the number of patterns") {
		m.patterns = append(m.patterns, d.pattern())
	}
	for k := range m.Classes {
		if d.err != nil {
			break
		}
		m.classes = append(m.classes, d.class(m, k))
	}
	return m
}

func (d *matchesReader) pattern() (p pattern) {
	b := d.take(patternLen)
	if d.err != nil {
		return p
	}
	p.limit = b[0]
	for a := range numAreas {
		p.right[a] = binary.LittleEndian.Uint16(b[1+4*a:])
		p.ignored[a] = binary.LittleEndian.Uint16(b[3+4*a:])
		if p.right[a]|p.ignored[a] > every || p.right[a]&p.ignored[a] != 0 {
			d.fail("an outcome that there is not")
		}
	}
	if p.limit >= numLimits {
		d.fail("a limit of detections that there is not")
	}
	return p
}

func (d *matchesReader) class(m *Matches, k int) (c classMatches) {
	before := -1
	for range d.length(1+numAreas, "the number of images with objects") {
		t := truths{image: before + 1 + d.number(m.Images-before-1, "an image")}
		before = t.image
		for a := range t.count {
			t.count[a] = d.number(maxObjects-d.objects, "a number of objects")
		}
		d.objects += slices.Max(t.count[:])
		c.truths = append(c.truths, t)
	}
	n := d.length(2, "the number of detections")
	c.found = make([]found, n)
	for i := range c.found {
		c.found[i].pattern = uint32(d.number(len(m.patterns), "a pattern"))
	}
	for i := range c.found {
		c.found[i].image = uint32(d.number(m.Images, "an image"))
	}
	if d.err == nil && !c.fits(m.patterns) {
		d.fail("class %d has more right detections than objects in an image", k)
	}
	return c
}

// fits says that no image has more right detections than objects, and none more detections than count.
func (c *classMatches) fits(patterns []pattern) bool {
	type tally struct {
		detections int
		right      [numAreas][numThresholds]int
	}
	by := map[uint32]*tally{}
	for _, f := range c.found {
		t := by[f.image]
		if t == nil {
			t = &tally{}
			by[f.image] = t
		}
		t.detections++
		for a, mask := range patterns[f.pattern].right {
			for b := range t.right[a] {
				t.right[a][b] += int(mask >> b & 1)
			}
		}
	}
	for image, t := range by {
		var count [numAreas]int
		if i, ok := slices.BinarySearchFunc(c.truths, int(image), func(t truths, image int) int { return t.image - image }); ok {
			count = c.truths[i].count
		}
		if t.detections > maxDetections {
			return false
		}
		for a := range count {
			if slices.Max(t.right[a][:]) > count[a] {
				return false
			}
		}
	}
	return true
}
