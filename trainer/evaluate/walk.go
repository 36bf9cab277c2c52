package evaluate

import "math"

// Target is one average precision: of an area range, over thresholds First to Last (0 to 9, both included), over
// some classes (nil: all).
type Target struct {
	Area, First, Last int
	Classes           []int
}

// Walk is a run's detections laid out for one target, so that its average precision for images drawn with
// replacement is one pass over them. It is only read, by any number of goroutines.
//
// Precision has its maxima at right detections. These, and those that some thresholds ignore and others do not, are
// the stops of the walk; of all others only the number between stops matters, which is the same for all thresholds.
type Walk struct {
	classes    []classWalk
	thresholds int
}

// classWalk is a class of a Walk. Detections are in the order of falling score.
type classWalk struct {
	class  int
	images []uint32 // image of each detection; Images (weight 0) where thresholds disagree on ignoring it
	stops  []place
	split  bool // some stop is not among images
}

// place is a stop: how many of images there are up to it, itself included, its own image, and of which of the target's
// thresholds, from bit 0, it is right, and which count it though images does not.
type place struct {
	end, image   uint32
	right, apart uint16
}

// NewWalk lays out a target.
func (m *Matches) NewWalk(t Target) *Walk {
	w := &Walk{thresholds: t.Last - t.First + 1}
	mask := t.mask()
	for _, k := range m.chosen(t.Classes) {
		c := classWalk{class: k}
		end := m.lastRight(k, t)
		for _, f := range m.classes[k].found[:end] {
			if m.patterns[f.pattern].ignored[t.Area]&mask != mask {
				c.add(&m.patterns[f.pattern], f.image, uint32(m.Images), t)
			}
		}
		w.classes = append(w.classes, c)
	}
	return w
}

// mask has the target's thresholds.
func (t Target) mask() uint16 { return 1<<(t.Last+1) - 1<<t.First }

// lastRight is how many detections of a class there are up to the last that is right for the target.
func (m *Matches) lastRight(class int, t Target) int {
	fs := m.classes[class].found
	for n := len(fs); n > 0; n-- {
		if m.patterns[fs[n-1].pattern].right[t.Area]&t.mask() != 0 {
			return n
		}
	}
	return 0
}

// add appends a detection of an image; none is the image of weight 0.
func (c *classWalk) add(p *pattern, image, none uint32, t Target) {
	here := place{image: image, right: (p.right[t.Area] & t.mask()) >> t.First}
	if ignored := p.ignored[t.Area] & t.mask(); ignored != 0 {
		here.apart = (t.mask() &^ ignored) >> t.First
		c.split = true
		image = none
	}
	c.images = append(c.images, image)
	if here.right|here.apart != 0 {
		here.end = uint32(len(c.images))
		c.stops = append(c.stops, here)
	}
}

// Steps is the work of one pass: detections, and stops for each threshold.
func (w *Walk) Steps() int {
	n := 0
	for _, c := range w.classes {
		n += len(c.images) + w.thresholds*len(c.stops)
	}
	return n
}

// Draw is how often each image stands in a validation, and what follows from that for the objects. All runs that
// were scored on the same pictures share it; a goroutine needs its own.
type Draw struct {
	area    int
	chosen  []int
	truths  [][]truths // K
	weights []int32    // Images + 1; the last is 0
	reached [][]uint8  // K, by number of objects found: how many recall points are reached; nil without objects

	stops   []stop   // scratch
	besides []beside // scratch
}

// stop is what a draw makes of a place whose image is in it.
type stop struct {
	share float64 // 1 / detections up to it
	own   int32   // copies of it
	right int32   // as in place; a bit less after each threshold
}

// beside is what interpolateSplit needs besides.
type beside struct {
	up    int32 // detections up to it
	apart int32 // as in place; a bit less after each threshold
}

// NewDraw makes room for the draws of a target.
func (m *Matches) NewDraw(t Target) *Draw {
	d := &Draw{area: t.Area, chosen: m.chosen(t.Classes), weights: make([]int32, m.Images+1), reached: make([][]uint8, len(m.classes))}
	for _, c := range m.classes {
		d.truths = append(d.truths, c.truths)
	}
	return d
}

// Set takes the number of times that each image is in, none of them below 0; those beyond the end of counts are out.
// Detections must not become more than an int32 holds.
func (d *Draw) Set(counts []int) {
	images := d.weights[:len(d.weights)-1]
	clear(images)
	for i, n := range counts[:min(len(counts), len(images))] {
		images[i] = int32(n)
	}
	for _, k := range d.chosen {
		total := 0
		for _, t := range d.truths[k] {
			total += t.count[d.area] * int(images[t.image])
		}
		d.reached[k] = reach(d.reached[k], total)
	}
}

// reach fills to with how many recall points 0, 1, ... total objects of total reach; it is empty for none.
func reach(to []uint8, total int) []uint8 {
	to = to[:0]
	if total == 0 {
		return to
	}
	n := 0
	for found := range total + 1 {
		recall := float64(found) / float64(total)
		for n < numPoints && points[n] <= recall {
			n++
		}
		to = append(to, uint8(n))
	}
	return to
}

// AP is the average precision for the images of d; Undefined where no class has an object that counts.
func (w *Walk) AP(d *Draw) float64 {
	var ap [1]float64
	w.APs([]*Draw{d}, ap[:])
	return ap[0]
}

// APs fills ap with the average precision for each draw. A class is walked for all of them in turn, so that it stays
// near the processor.
func (w *Walk) APs(ds []*Draw, ap []float64) {
	ap = ap[:len(ds)]
	terms := make([]int, len(ds))
	clear(ap)
	for i := range w.classes {
		c := &w.classes[i]
		for j, d := range ds {
			if reached := d.reached[c.class]; len(reached) > 0 {
				ap[j] += c.precisions(d, reached, w.thresholds)
				terms[j] += w.thresholds
			}
		}
	}
	for j, n := range terms {
		if ap[j] /= float64(n * numPoints); n == 0 {
			ap[j] = Undefined
		}
	}
}

// precisions sums the class's interpolated precisions over thresholds and recall points.
func (c *classWalk) precisions(d *Draw, reached []uint8, thresholds int) float64 {
	stops, besides := c.visit(d)
	total := 0.
	for range thresholds {
		if c.split {
			total += interpolateSplit(stops, besides, reached)
		} else {
			total += interpolate(stops, reached)
		}
	}
	return total
}

// visit lists the stops that are in the draw; the lists are d's.
func (c *classWalk) visit(d *Draw) ([]stop, []beside) {
	if len(d.stops) <= len(c.stops) {
		d.stops, d.besides = make([]stop, len(c.stops)+1), make([]beside, len(c.stops)+1)
	}
	stops, besides, weights, n := d.stops, d.besides, d.weights, 0
	up, from := int32(0), uint32(0)
	for _, p := range c.stops {
		for _, i := range c.images[from:p.end] {
			up += weights[i]
		}
		from = p.end
		own := weights[p.image]
		stops[n] = stop{share: 1 / (float64(up) + 0x1p-52), own: own, right: int32(p.right)}
		if c.split {
			besides[n] = beside{up, int32(p.apart)}
		}
		if own > 0 { // else the next takes its place
			n++
		}
	}
	return stops[:n], besides[:n]
}

// interpolate is the sum over recall points of the largest precision at that recall or a higher one, for the threshold
// that is bit 0 of the stops, which goes. It visits the last stop first.
func interpolate(stops []stop, reached []uint8) float64 {
	right := int32(0) // up to the stop
	for i := range stops {
		right += stops[i].own & -(stops[i].right & 1)
	}
	best, total, before := uint64(0), 0., reached[right] // best is a float64's bits, whose order is that of numbers
	for i := len(stops) - 1; i >= 0; i-- {
		s := &stops[i]
		best = max(best, math.Float64bits(float64(right)*s.share))
		right -= s.own & -(s.right & 1)
		s.right >>= 1
		up := before
		before = reached[right]
		total += math.Float64frombits(best) * float64(up-before)
	}
	return total + math.Float64frombits(best)*float64(before)
}

// interpolateSplit is interpolate where some stops are not counted up to.
func interpolateSplit(stops []stop, besides []beside, reached []uint8) float64 {
	right, apart := int32(0), int32(0)
	for i := range stops {
		right += stops[i].own & -(stops[i].right & 1)
		apart += stops[i].own & -(besides[i].apart & 1)
	}
	best, total, before := 0., 0., reached[right]
	for i := len(stops) - 1; i >= 0; i-- {
		s, b := &stops[i], &besides[i]
		best = max(best, float64(right)/(float64(b.up+apart)+0x1p-52))
		right -= s.own & -(s.right & 1)
		apart -= s.own & -(b.apart & 1)
		s.right >>= 1
		b.apart >>= 1
		up := before
		before = reached[right]
		total += best * float64(up-before)
	}
	return total + best*float64(before)
}
