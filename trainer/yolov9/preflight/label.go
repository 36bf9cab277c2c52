package preflight

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Row is one object of a label file as the official code reads it: class and box, centre and size as shares of the
// picture's sides. A polygon is its bounds.
type Row struct {
	Line         int // in the file, from 1
	Class        float32
	CX, CY, W, H float32
}

// box is what makes two rows the same to the official code.
func (r Row) box() [5]float32 { return [5]float32{r.Class, r.CX, r.CY, r.W, r.H} }

// Finding is something about one line of a label file.
type Finding struct {
	Rule   string // kind of the fault that it counts for
	Line   int    // from 1; 0: the whole file
	Detail string
}

// Labels is a label file as the official code reads it.
type Labels struct {
	Rows     []Row // without duplicates, in the order of the file
	Polygons bool  // a row has more than six columns, so that every row is read as a polygon
	Ignored  bool  // the official code leaves out the picture and all its labels
	Findings []Finding
}

// maxFindings is how many findings of one file are kept; more of them help nobody.
const maxFindings = 1000

// ParseLabels reads a label file as the official code does, for a number of classes: at one bad row it leaves out
// the whole picture; class numbers that are too high it finds out about later, and stops.
func ParseLabels(b []byte, classes int) Labels {
	p := labelParser{classes: classes}
	if !utf8.Valid(b) {
		p.ignore("label-encoding", 0, "not UTF-8")
		return p.out
	}
	lines := trimBlank(splitLines(string(b)))
	if len(lines) == 0 {
		return p.out
	}
	var rows [][]string
	var numbers []int
	for _, l := range lines {
		if l.text == "" {
			continue // the official code skips empty lines, but not those of blanks
		}
		f := strings.FieldsFunc(l.text, isSpace)
		rows, numbers = append(rows, f), append(numbers, l.number)
		p.out.Polygons = p.out.Polygons || len(f) > 6
	}
	for i, f := range rows {
		if row, ok := p.row(f, numbers[i]); ok {
			p.out.Rows = append(p.out.Rows, row)
		}
	}
	p.mixed(rows, numbers)
	if p.out.Ignored {
		p.out.Rows = nil
		return p.out
	}
	p.judge()
	return p.out
}

type labelParser struct {
	classes int
	out     Labels
}

func (p *labelParser) find(rule string, line int, format string, args ...any) {
	if len(p.out.Findings) < maxFindings {
		p.out.Findings = append(p.out.Findings, Finding{rule, line, fmt.Sprintf(format, args...)})
	}
}

// ignore notes a reason for which the official code leaves out the picture.
func (p *labelParser) ignore(rule string, line int, format string, args ...any) {
	p.out.Ignored = true
	p.find(rule, line, format, args...)
}

// row reads the fields of one line.
func (p *labelParser) row(fields []string, line int) (Row, bool) {
	r := Row{Line: line}
	if !p.columns(fields, line) {
		return r, false
	}
	v := make([]float32, len(fields))
	for i, f := range fields {
		x, ok := pythonFloat(f)
		if !ok {
			p.ignore("label-number", line, "%.40q is no number", f)
			return r, false
		}
		v[i] = x
	}
	r.Class = v[0]
	if p.out.Polygons {
		r.bounds(v[1:])
	} else {
		r.CX, r.CY, r.W, r.H = v[1], v[2], v[3], v[4]
	}
	return r, p.inRange(r)
}

// columns says whether the official code can read that many columns.
func (p *labelParser) columns(fields []string, line int) bool {
	n := len(fields)
	switch {
	case n == 0:
		p.ignore("label-columns", line, "a line of blanks")
	case p.out.Polygons && n < 3:
		p.ignore("label-columns", line, "%d columns among polygons", n)
	case p.out.Polygons && n%2 == 0:
		p.ignore("label-columns", line, "%d columns: an x without its y", n)
	case !p.out.Polygons && n != 5:
		p.ignore("label-columns", line, "%d columns", n)
	default:
		return true
	}
	return false
}

// bounds sets the box from the corners of a polygon, x and y in turn, in the arithmetic of the official code.
func (r *Row) bounds(xy []float32) {
	x0, y0, x1, y1 := xy[0], xy[1], xy[0], xy[1]
	for i := 2; i < len(xy); i += 2 {
		x0, y0, x1, y1 = lower(x0, xy[i]), lower(y0, xy[i+1]), upper(x1, xy[i]), upper(y1, xy[i+1])
	}
	r.CX, r.CY, r.W, r.H = (x0+x1)/2, (y0+y1)/2, x1-x0, y1-y0
}

// lower and upper are minimum and maximum that keep NaN.
func lower(a, b float32) float32 { return float32(math.Min(float64(a), float64(b))) }
func upper(a, b float32) float32 { return float32(math.Max(float64(a), float64(b))) }

// inRange says whether the official code takes the values of a row.
func (p *labelParser) inRange(r Row) bool {
	ok := true
	for i, x := range r.box() {
		name := [5]string{"class", "x", "y", "width", "height"}[i]
		switch {
		case !(x >= 0): // NaN too
			p.ignore("label-negative", r.Line, "%s is %v", name, x)
			ok = false
		case i > 0 && x > 1:
			p.ignore("label-range", r.Line, "%s is %v", name, x)
			ok = false
		}
	}
	return ok
}

// mixed finds rows of boxes in a file that is read as polygons: centre and size are taken for two corners.
func (p *labelParser) mixed(rows [][]string, lines []int) {
	if !p.out.Polygons {
		return
	}
	for i, f := range rows {
		if len(f) == 5 {
			p.find("label-mixed-rows", lines[i], "5 columns in a file of polygons")
		}
	}
}

// reach is how far a box may reach out of the picture, as a share of its side, before it is told.
const reach = .01

// judge finds what the official code accepts and should not.
func (p *labelParser) judge() {
	first := make(map[[5]float32]int, len(p.out.Rows))
	kept := p.out.Rows[:0]
	for _, r := range p.out.Rows {
		if line, ok := first[r.box()]; ok {
			p.find("label-twice", r.Line, "as line %d", line)
			continue
		}
		first[r.box()] = r.Line
		kept = append(kept, r)
		switch c := float64(r.Class); {
		case c != math.Trunc(c) || math.IsInf(c, 0):
			p.find("class-fraction", r.Line, "class %v", r.Class)
		case p.classes > 0 && c >= float64(p.classes):
			p.find("class-range", r.Line, "class %d, but there are %d", int(c), p.classes)
		}
		if r.W == 0 || r.H == 0 {
			p.find("label-area", r.Line, "width %v, height %v", r.W, r.H)
		} else if over := max(r.W/2-r.CX, r.CX+r.W/2-1, r.H/2-r.CY, r.CY+r.H/2-1); over > reach {
			p.find("label-outside", r.Line, "by %.1f %% of the picture's side", 100*over)
		}
	}
	p.out.Rows = kept
}

// textLine is a line of a file with its number from 1.
type textLine struct {
	number int
	text   string
}

// splitLines splits a text as Python's str.splitlines does.
func splitLines(s string) []textLine {
	var all []textLine
	start, number := 0, 1
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !isBreak(r) {
			i += n
			continue
		}
		all = append(all, textLine{number, s[start:i]})
		i += n
		if r == '\r' && i < len(s) && s[i] == '\n' {
			i++
		}
		start, number = i, number+1
	}
	if start < len(s) {
		all = append(all, textLine{number, s[start:]})
	}
	return all
}

// trimBlank drops blank lines at the beginning and the end.
func trimBlank(lines []textLine) []textLine {
	blank := func(l textLine) bool { return strings.TrimFunc(l.text, isSpace) == "" }
	for len(lines) > 0 && blank(lines[0]) {
		lines = lines[1:]
	}
	for len(lines) > 0 && blank(lines[len(lines)-1]) {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// isBreak says whether Python ends a line at a character.
func isBreak(r rune) bool {
	switch r {
	case '\n', '\r', '\v', '\f', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029:
		return true
	}
	return false
}

// isSpace says whether Python takes a character for white space.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// pythonFloat reads a number as Python does, but for digits of other scripts, rounded to 32 bits as NumPy does.
func pythonFloat(s string) (float32, bool) {
	if strings.ContainsAny(s, "xXpP") { // Go reads hexadecimal fractions
		return 0, false
	}
	if strings.Contains(s, "_") {
		for i := range len(s) { // only between digits
			if s[i] == '_' && (i == 0 || i == len(s)-1 || !isDigit(s[i-1]) || !isDigit(s[i+1])) {
				return 0, false
			}
		}
		s = strings.ReplaceAll(s, "_", "")
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(x, 0) {
		return 0, false
	}
	return float32(x), true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
