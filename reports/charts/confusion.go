package charts

import (
	"fmt"
	"image/color"
	"io"
	"strconv"

	"gonum.org/v1/plot/vg"
)

// Confusion is a matrix of counts: Counts[p][a] objects of class a were taken for class p. The last row and column are
// the background.
type Confusion struct {
	Names  []string // of the classes, without the background
	Counts [][]int  // len(Names)+1 rows and columns
}

// confusionChart is what is drawn: shares of each column, which is an actual class.
type confusionChart struct {
	names  []string
	counts [][]int
	share  [][]float64 // 0..1 of the column
}

func confusionData(m Confusion) (confusionChart, error) {
	n := len(m.Names) + 1
	if len(m.Counts) != n {
		return confusionChart{}, fmt.Errorf("%d rows for %d classes and the background", len(m.Counts), len(m.Names))
	}
	d := confusionChart{names: append(append([]string(nil), m.Names...), "background"), counts: m.Counts, share: make([][]float64, n)}
	for p := range d.share {
		d.share[p] = make([]float64, n)
	}
	for a := range n {
		total := 0
		for p := range n {
			total += m.Counts[p][a]
		}
		for p := range n {
			if total > 0 {
				d.share[p][a] = float64(m.Counts[p][a]) / float64(total)
			}
		}
	}
	return d, nil
}

// Sizes of a matrix: cells shrink to fit the page down to a size where their numbers are left out.
const (
	cellMost     vg.Length = 46
	cellNumbered vg.Length = 17
	cellNamed    vg.Length = 4 // names are as large as their cells: for the file at its full size
)

func (d confusionChart) cell() vg.Length {
	return min(cellMost, (innerWidth-d.nameWidth()-24)/vg.Length(len(d.names)))
}

func (d confusionChart) nameWidth() vg.Length { return min(110, labelStyle.widest(d.names)) }

// left is where the cells begin, and middle where the title below them is centred, from the left edge.
func (d confusionChart) left() vg.Length { return 16 + d.nameWidth() + 6 }

func (d confusionChart) middle() vg.Length {
	return max(d.left()+d.cell()*vg.Length(len(d.names))/2, tickStyle.width(d.title())/2)
}

func (d confusionChart) title() string {
	if d.cell() < cellNumbered {
		return "objects of class, in the classes' order; the last is the background (colour: share of the column)"
	}
	return "objects of class (numbers are counts, colour the share of the column)"
}

// size is as wide as cells and title need.
func (d confusionChart) size() (w, h vg.Length) {
	cells := d.cell() * vg.Length(len(d.names))
	w = max(d.left()+cells, d.middle()+tickStyle.width(d.title())/2) + 2*edge
	return min(pageWidth, w), cells + d.nameWidth() + 32
}

func (d confusionChart) draw(c *canvas) {
	cell, n := d.cell(), len(d.names)
	x0, y0 := c.Min.X+d.left(), c.Max.Y-4
	at := func(row, column int) (x, y vg.Length) { return x0 + cell*vg.Length(column), y0 - cell*vg.Length(row) }
	for p := range n {
		for a := range n {
			x, y := at(p, a)
			c.rect(Wash, x+0.3, y-cell+0.3, x+cell-0.3, y-0.3)
			if d.counts[p][a] == 0 {
				continue
			}
			s := d.share[p][a]
			c.rect(fade(Blue, 0.08+0.92*s), x+0.3, y-cell+0.3, x+cell-0.3, y-0.3)
			if cell >= cellNumbered {
				ink := color.Color(Ink)
				if s > 0.55 {
					ink = background
				}
				c.number(ink, d.counts[p][a], pt(x+cell/2, y-cell/2), cell)
			}
		}
	}
	if cell >= cellNamed {
		name := style{min(labelSize, cell*0.95), false, Ink}
		for i, t := range d.names {
			t = wrap(name, t, d.nameWidth(), 1)[0]
			x, y := at(i, i)
			c.text(name, t, pt(x0-6, y-cell/2), right)
			c.Push()
			c.Translate(pt(x+cell/2, y0-cell*vg.Length(n)-6))
			c.Rotate(1.5707963267948966)
			c.text(name, t, pt(0, 0), right)
			c.Pop()
		}
	}
	mid := cell * vg.Length(n) / 2
	c.vertical(tickStyle, "detected as", pt(c.Min.X+6, y0-mid))
	c.text(tickStyle, d.title(), pt(c.Min.X+d.middle(), c.Min.Y+7), centre)
}

// number writes a count as large as the cell allows, and a large one in thousands or millions where it does not fit.
func (c *canvas) number(ink color.Color, v int, at vg.Point, cell vg.Length) {
	s, t := style{labelSize, false, ink}, strconv.Itoa(v)
	if s.width(t) > cell-3 && v >= 1000 {
		t = rounded(v)
	}
	for s.size > 4.5 && s.width(t) > cell-3 {
		s.size -= 0.5
	}
	c.text(s, t, at, centre)
}

// rounded writes a count from 1,000 on with three digits: 1.23k, 12.3k, 123k, 1.23M.
func rounded(v int) string {
	if v < 999500 { // what rounds to 1000k is 1M
		return fmt.Sprintf("%.3gk", float64(v)/1000)
	}
	x := float64(v) / 1e6
	if x >= 999.5 {
		return fmt.Sprintf("%.0fM", x)
	}
	return fmt.Sprintf("%.3gM", x)
}

// WriteConfusion renders a matrix in one of Formats.
func WriteConfusion(w io.Writer, m Confusion, format string) error {
	d, err := confusionData(m)
	if err != nil {
		return fmt.Errorf("draw confusion matrix: %w", err)
	}
	width, height := d.size()
	if err := render(w, newPlot(d.draw), width, height, format); err != nil {
		return fmt.Errorf("write confusion matrix as %s: %w", format, err)
	}
	return nil
}
