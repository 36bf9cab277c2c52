package evaluate

// Target is one average precision: of an area range, over thresholds First to Last (0 to 9, both included), over
// some classes (nil: all).
type Target struct {
	Area, First, Last int
	Classes           []int
}

// Walk is a run's detections laid out for one target, so that its average precision for images drawn with
// replacement is one pass over them. It is only read, by any number of goroutines.
//
// Precision has its maxima at right detections, so only these are visited, threshold by threshold. How many
// detections precede one is the same for all thresholds, but for those that some thresholds ignore: these are
// kept apart.
type Walk struct {
	classes []classWalk
}

// classWalk is a class of a Walk.
type classWalk struct {
	class  int
	images []uint32   // image of each detection, by falling score; Images (weight 0) where the thresholds disagree on ignoring it
	apart  []uint32   // image of each, also of those; nil where there is none
	events [][]uint32 // of each threshold: place<<2 | kind
}

// Kinds of events.
const (
	hit      = iota // right; counted in images
	hitApart        // right; not counted in images
	missApart
)

// NewWalk lays out a target.
func (m *Matches) NewWalk(t Target) *Walk {
	w := &Walk{}
	mask := t.mask()
	for _, k := range m.chosen(t.Classes) {
		c := classWalk{class: k, events: make([][]uint32, t.Last-t.First+1)}
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
	place := uint32(len(c.images))
	right, ignored := p.right[t.Area], p.ignored[t.Area]
	if apart := ignored&t.mask() != 0; !apart {
		c.images = append(c.images, image)
		if c.apart != nil {
			c.apart = append(c.apart, image)
		}
		for i := range c.events {
			if right>>(t.First+i)&1 != 0 {
				c.events[i] = append(c.events[i], place<<2|hit)
			}
		}
		return
	}
	if c.apart == nil {
		c.apart = append([]uint32{}, c.images...)
	}
	c.images, c.apart = append(c.images, none), append(c.apart, image)
	for i := range c.events {
		switch b := t.First + i; {
		case right>>b&1 != 0:
			c.events[i] = append(c.events[i], place<<2|hitApart)
		case ignored>>b&1 == 0:
			c.events[i] = append(c.events[i], place<<2|missApart)
		}
	}
}

// Steps is the work of one pass: detections and events.
func (w *Walk) Steps() int {
	n := 0
	for _, c := range w.classes {
		n += len(c.images)
		for _, e := range c.events {
			n += len(e)
		}
	}
	return n
}

// Draw is how often each image stands in a validation, and what follows from that for the objects. All runs that
// were scored on the same pictures share it; a goroutine needs its own.
type Draw struct {
	area    int
	chosen  []int
	truths  [][]truths // K
	weights []int      // Images + 1; the last is 0
	reached [][]uint8  // K, by number of objects found: how many recall points are reached; nil without objects

	sum       []int     // scratch: detections up to each place
	precision []float64 // scratch: at each event
	up        []uint8   // scratch: recall points reached at each event
}

// NewDraw makes room for the draws of a target.
func (m *Matches) NewDraw(t Target) *Draw {
	d := &Draw{area: t.Area, chosen: m.chosen(t.Classes), weights: make([]int, m.Images+1), reached: make([][]uint8, len(m.classes))}
	for _, c := range m.classes {
		d.truths = append(d.truths, c.truths)
	}
	return d
}

// Set takes the number of times that each image is in, none of them below 0; those beyond the end of counts are out.
func (d *Draw) Set(counts []int) {
	images := d.weights[:len(d.weights)-1]
	clear(images)
	copy(images, counts)
	for _, k := range d.chosen {
		total := 0
		for _, t := range d.truths[k] {
			total += t.count[d.area] * images[t.image]
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
	sum, n := 0., 0
	for i := range w.classes {
		c := &w.classes[i]
		if reached := d.reached[c.class]; len(reached) > 0 {
			sum += c.precisions(d, reached)
			n += len(c.events)
		}
	}
	if n == 0 {
		return Undefined
	}
	return sum / float64(n*numPoints)
}

// precisions sums the class's interpolated precisions over thresholds and recall points.
func (c *classWalk) precisions(d *Draw, reached []uint8) float64 {
	if len(d.sum) <= len(c.images) {
		d.sum = make([]int, len(c.images)+1)
	}
	n, sum := 0, d.sum[1:len(c.images)+1] // the first stays 0
	for p, i := range c.images {
		n += d.weights[i]
		sum[p] = n
	}
	total := 0.
	for _, events := range c.events {
		total += c.interpolate(d, events, reached)
	}
	return total
}

// interpolate is the sum over recall points of the largest precision at that recall or a higher one.
func (c *classWalk) interpolate(d *Draw, events []uint32, reached []uint8) float64 {
	if len(d.precision) < len(events) {
		d.precision, d.up = make([]float64, len(events)), make([]uint8, len(events))
	}
	precision, up := d.precision[:len(events)], d.up[:len(events)]
	right, apart := 0, 0 // right ones so far, and detections that sum has not
	for i, e := range events {
		place := e >> 2
		switch e & 3 {
		case hit:
			right += d.sum[place+1] - d.sum[place]
		case hitApart:
			n := d.weights[c.apart[place]]
			right, apart = right+n, apart+n
		case missApart:
			apart += d.weights[c.apart[place]]
		}
		precision[i] = float64(right) / (float64(d.sum[place+1]+apart) + 0x1p-52)
		up[i] = reached[right]
	}
	best, total, zero := 0., 0., reached[0]
	for i := len(events) - 1; i >= 0; i-- {
		best = max(best, precision[i])
		before := zero
		if i > 0 {
			before = up[i-1]
		}
		total += best * float64(up[i]-before)
	}
	return total + best*float64(zero)
}
