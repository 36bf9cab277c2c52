package evaluate

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
)

// MatchesName is the name under which a trial keeps its matches, and MatchesType their media type.
const (
	MatchesName = "matches"
	MatchesType = "application/x-mapsweep-matches"
)

// Matches say, picture by picture, which detections found which objects: all that average precision needs of a
// validation, so that it can be computed again for some of the classes, for some of the images, or for images drawn
// with replacement. Boxes and scores are gone; detections stand in the order of their scores.
//
// Left out are detections that can change no score: beyond the 100 best of their class and image, ignored in every
// area range, or below the last detection of their class that is right anywhere.
type Matches struct {
	Images  int
	Classes []string
	// Pictures is the hash of the images' objects, in hex: runs that were scored on the same pictures have the same.
	Pictures string

	patterns []pattern
	classes  []classMatches // K
}

// pattern is what became of a detection. limit is the first of the limits of detections (Limit1, Limit10, Limit100)
// that lets it pass.
type pattern struct {
	limit uint8
	outcome
}

// classMatches are the objects and the detections of a class.
type classMatches struct {
	truths []truths // by image, those with objects only
	found  []found  // by falling score
}

// truths counts the objects of an image that count in each area range. One of 1024 square pixels is both small and
// medium.
type truths struct {
	image int
	count [numAreas]int
}

// found is one detection: its image, and the index of its pattern.
type found struct{ image, pattern uint32 }

// Match matches detections to objects as COCO does; COCO's scores are those of the result.
func Match(gt []GroundTruth, dt []Detection, images int, classes []string) *Matches {
	m := &Matches{Images: images, Classes: slices.Clone(classes), classes: make([]classMatches, len(classes))}
	objects, detections := arrange(gt, dt, images, len(classes))
	m.Pictures = pictures(gt, objects, images, classes)
	index := map[pattern]uint32{}
	var mt matcher
	for k := range classes {
		c := &m.classes[k]
		mt.reset()
		var at []uint32 // image of each detection
		for i := range images {
			before := mt.truths
			mt.image(gt, objects.of(i, k), dt, detections.of(i, k))
			for len(at) < len(mt.scores) {
				at = append(at, uint32(i))
			}
			t := truths{image: i}
			for a := range t.count {
				t.count[a] = mt.truths[a] - before[a]
			}
			if t.count != [numAreas]int{} {
				c.truths = append(c.truths, t)
			}
		}
		c.found = mt.found(at, index)
	}
	m.sortPatterns(index)
	return m
}

// found lists the detections of a class that matter, by falling score; at holds the image of each. New patterns are
// added to index.
func (m *matcher) found(at []uint32, index map[pattern]uint32) []found {
	var fs []found
	last := 0
	for _, d := range m.order() {
		p := pattern{m.limit[d.at], m.outcomes[d.at]}
		if p.ignored == [numAreas]uint16{every, every, every, every} {
			continue
		}
		n, ok := index[p]
		if !ok {
			n = uint32(len(index))
			index[p] = n
		}
		fs = append(fs, found{at[d.at], n})
		if p.right != [numAreas]uint16{} {
			last = len(fs)
		}
	}
	return slices.Clip(fs[:last])
}

// sortPatterns numbers the patterns that are in use anew, the most frequent first.
func (m *Matches) sortPatterns(index map[pattern]uint32) {
	uses := make([]int, len(index))
	all := make([]pattern, len(index))
	for p, n := range index {
		all[n] = p
	}
	for _, c := range m.classes {
		for _, f := range c.found {
			uses[f.pattern]++
		}
	}
	order := make([]int, 0, len(all))
	for n, u := range uses {
		if u > 0 {
			order = append(order, n)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(uses[b], uses[a]) })
	place := make([]uint32, len(all))
	for to, from := range order {
		m.patterns = append(m.patterns, all[from])
		place[from] = uint32(to)
	}
	for _, c := range m.classes {
		for i := range c.found {
			c.found[i].pattern = place[c.found[i].pattern]
		}
	}
}

// pictures is the hash of the classes' names and of the objects, by class and image.
func pictures(gt []GroundTruth, objects groups, images int, classes []string) string {
	h := sha256.New()
	var b []byte
	number := func(vs ...uint64) {
		b = b[:0]
		for _, v := range vs {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
		h.Write(b)
	}
	number(uint64(images), uint64(len(classes)))
	for k, name := range classes {
		number(uint64(len(name)))
		h.Write([]byte(name))
		for i := range images {
			of := objects.of(i, k)
			number(uint64(len(of)))
			for _, j := range of {
				g, crowd := gt[j], uint64(0)
				if g.Crowd {
					crowd = 1
				}
				number(math.Float64bits(g.Box.X), math.Float64bits(g.Box.Y), math.Float64bits(g.Box.W), math.Float64bits(g.Box.H),
					math.Float64bits(g.Area), crowd)
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:picturesSize])
}

// picturesSize is how many bytes of the hash are kept.
const picturesSize = 16

// Detections is how many detections are kept, of all classes.
func (m *Matches) Detections() int {
	n := 0
	for _, c := range m.classes {
		n += len(c.found)
	}
	return n
}

// Objects is how many objects count, by image, over all classes and sizes; crowds do not.
func (m *Matches) Objects() []int {
	n := make([]int, m.Images)
	for _, c := range m.classes {
		for _, t := range c.truths {
			n[t.image] += t.count[AreaAll]
		}
	}
	return n
}
