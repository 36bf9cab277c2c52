package charts

import (
	"cmp"
	"image/color"
	"slices"
	"strings"
	"sync"
	"unicode"

	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// Sizes of text, in points.
const (
	tickSize  vg.Length = 7.5
	labelSize vg.Length = 8.5
)

// face is Liberation Sans at a size.
type face struct {
	font.Face
	size vg.Length
}

var faces sync.Map // of faceKey to face

type faceKey struct {
	size vg.Length
	bold bool
}

func getFace(size vg.Length, bold bool) face {
	k := faceKey{size, bold}
	if f, ok := faces.Load(k); ok {
		return f.(face)
	}
	f := font.Font{Typeface: "Liberation", Variant: "Sans"}
	if bold {
		f.Weight = xfont.WeightBold
	}
	r := face{plot.DefaultTextHandler.Cache().Lookup(f, size), size}
	faces.Store(k, r)
	return r
}

// has says whether the font can draw the rune.
func (f face) has(r rune) bool {
	var buf sfnt.Buffer
	i, err := f.Face.Face.GlyphIndex(&buf, r)
	return err == nil && i != 0
}

// width measures a line of text. A letter that the font lacks counts as one em, as wide as any fallback draws it.
func (f face) width(t string) vg.Length {
	plain := true
	for _, r := range t {
		if r > unicode.MaxLatin1 && !f.has(r) {
			plain = false
			break
		}
	}
	if plain {
		return f.Width(t)
	}
	var w vg.Length
	for _, r := range t {
		switch {
		case unicode.Is(unicode.Mn, r) || r == 0x200d || r == 0xfe0f:
		case f.has(r):
			w += f.Width(string(r))
		default:
			w += f.size
		}
	}
	return w
}

// anchor is where a text stands relative to its point.
type anchor int

const (
	left anchor = iota
	centre
	right
)

// style is how a text looks.
type style struct {
	size  vg.Length
	bold  bool
	color color.Color
}

var (
	tickStyle  = style{tickSize, false, Mute}
	labelStyle = style{labelSize, false, Ink}
)

func (s style) face() face               { return getFace(s.size, s.bold) }
func (s style) width(t string) vg.Length { return s.face().width(t) }
func (s style) lineHeight() vg.Length    { return s.size * 1.2 }
func (s style) with(c color.Color) style { s.color = c; return s }
func (s style) strong() style            { s.bold = true; return s }
func (s style) widest(ts []string) (w vg.Length) {
	for _, t := range ts {
		w = max(w, s.width(t))
	}
	return w
}

// capHeight is how far capital letters and figures rise above the baseline, for centring.
const capHeight = 0.70

// text draws one line; y is its vertical middle.
func (c *canvas) text(s style, t string, at vg.Point, a anchor) {
	if t == "" {
		return
	}
	f := s.face()
	switch a {
	case centre:
		at.X -= f.width(t) / 2
	case right:
		at.X -= f.width(t)
	}
	at.Y -= s.size * capHeight / 2
	c.SetColor(s.color)
	c.FillString(f.Face, at, t)
}

// lines draws several lines around their common vertical middle.
func (c *canvas) lines(s style, ts []string, at vg.Point, a anchor) {
	y := at.Y + s.lineHeight()*vg.Length(len(ts)-1)/2
	for _, t := range ts {
		c.text(s, t, pt(at.X, y), a)
		y -= s.lineHeight()
	}
}

// vertical draws a line of text upwards, centred at a point.
func (c *canvas) vertical(s style, t string, at vg.Point) {
	f := s.face()
	c.Push()
	c.Translate(at)
	c.Rotate(1.5707963267948966)
	c.SetColor(s.color)
	c.FillString(f.Face, pt(-f.width(t)/2, -s.size*capHeight/2), t)
	c.Pop()
}

// wrap breaks a text into lines no wider than width: at spaces, else behind joints like _ and =, else anywhere.
// After limit lines the rest is cut with an ellipsis.
func wrap(s style, t string, width vg.Length, limit int) []string {
	f := s.face()
	var out []string
	line := ""
	for _, piece := range pieces(t) {
		if f.width(strings.TrimRight(line+piece, " ")) <= width {
			line += piece
			continue
		}
		if strings.TrimSpace(line) != "" {
			out = append(out, strings.TrimRight(line, " "))
		}
		line = strings.TrimLeft(piece, " ")
		for f.width(strings.TrimRight(line, " ")) > width {
			n := fit(f, line, width)
			if n >= len(line) {
				break
			}
			out = append(out, line[:n])
			line = line[n:]
		}
	}
	if strings.TrimSpace(line) != "" || len(out) == 0 {
		out = append(out, strings.TrimRight(line, " "))
	}
	if len(out) > limit {
		out = out[:limit]
		last := out[limit-1] + "…"
		for f.width(last) > width && len([]rune(last)) > 2 {
			r := []rune(last)
			last = string(r[:len(r)-2]) + "…"
		}
		out[limit-1] = last
	}
	return out
}

// pieces cuts a text behind every place where a line may end.
func pieces(t string) []string {
	var out []string
	var b strings.Builder
	for _, r := range t {
		b.WriteRune(r)
		if strings.ContainsRune(" _=-/,;:.", r) || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) {
			out = append(out, b.String())
			b.Reset()
		}
	}
	if b.Len() > 0 {
		out = append(out, b.String())
	}
	return joinNumbers(out)
}

// joinNumbers keeps "0.15" and "-1" whole.
func joinNumbers(ps []string) []string {
	var out []string
	for _, p := range ps {
		if n := len(out); n > 0 && (strings.HasSuffix(out[n-1], ".") || strings.HasSuffix(out[n-1], "-")) && p[0] >= '0' && p[0] <= '9' {
			out[n-1] += p
			continue
		}
		out = append(out, p)
	}
	return out
}

// fit is how many bytes of t go into width, at least one rune.
func fit(f face, t string, width vg.Length) int {
	n := 0
	for i, r := range t {
		if i > 0 && f.width(t[:i+len(string(r))]) > width {
			return i
		}
		n = i + len(string(r))
	}
	return n
}

// spread moves the middles of labels apart so that labels of these heights do not overlap, inside lo..hi, and as
// near to where they were as that allows (least squares, by pooling adjacent violators). It keeps their order.
// If the heights do not fit into lo..hi they run over the upper end.
func spread(ys, heights []vg.Length, lo, hi vg.Length) []vg.Length {
	n := len(ys)
	if n == 0 {
		return nil
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ys[a], ys[b]) })
	offset := make([]vg.Length, n) // of each middle from the first, when packed
	for k := 1; k < n; k++ {
		offset[k] = offset[k-1] + (heights[order[k-1]]+heights[order[k]])/2
	}
	type pool struct {
		sum   vg.Length
		count int
	}
	var ps []pool
	for k, i := range order {
		ps = append(ps, pool{ys[i] - offset[k], 1})
		for m := len(ps) - 1; m > 0 && ps[m-1].sum*vg.Length(ps[m].count) > ps[m].sum*vg.Length(ps[m-1].count); m-- {
			ps[m-1] = pool{ps[m-1].sum + ps[m].sum, ps[m-1].count + ps[m].count}
			ps = ps[:m]
		}
	}
	first := lo + heights[order[0]]/2
	last := hi - heights[order[n-1]]/2 - offset[n-1]
	out := make([]vg.Length, n)
	k := 0
	for _, p := range ps {
		z := max(min(p.sum/vg.Length(p.count), last), first)
		for range p.count {
			out[order[k]] = z + offset[k]
			k++
		}
	}
	return out
}
