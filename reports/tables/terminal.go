package tables

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Options say what the terminal can do.
type Options struct {
	Colour bool // only for terminals
	Width  int  // columns; 0: unlimited
}

// ANSI colours near the page's: blue is better, vermilion (bright red) worse, grey equivalent or open.
var ansi = map[Tone]string{Better: "\x1b[34m", Worse: "\x1b[31m", Equivalent: "\x1b[90m", Open: "\x1b[90m"}

const (
	ansiBold  = "\x1b[1m"
	ansiReset = "\x1b[0m"
)

// Terminal writes tables for people at a terminal or in a pipe; several ones with their titles.
func Terminal(w io.Writer, ts []Table, o Options) error {
	for i, t := range ts {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if len(ts) > 1 && t.Title != "" {
			if _, err := fmt.Fprintln(w, t.Title); err != nil {
				return err
			}
		}
		if err := terminal(w, t, o); err != nil {
			return fmt.Errorf("write table: %w", err)
		}
	}
	return nil
}

func terminal(w io.Writer, t Table, o Options) error {
	var b strings.Builder
	t = shown(t, o)
	if len(t.Rows) > 0 {
		tw := table.NewWriter()
		st := table.StyleLight
		st.Options = table.Options{SeparateHeader: true}
		st.Box.PaddingLeft, st.Box.PaddingRight = "", "  "
		st.Format.Header = text.FormatDefault
		tw.SetStyle(st)
		var head table.Row
		var cfg []table.ColumnConfig
		wide, room := widths(t), fitted(t, o.Width)
		for i, c := range t.Columns {
			head = append(head, c.Title)
			cc := table.ColumnConfig{Number: i + 1}
			if c.Right {
				cc.Align, cc.AlignHeader = text.AlignRight, text.AlignRight
			}
			if room[i] < wide[i] {
				cc.WidthMax, cc.WidthMaxEnforcer = room[i], wrap
			}
			cfg = append(cfg, cc)
		}
		tw.AppendHeader(head)
		tw.SetColumnConfigs(cfg)
		appendRows(tw, t, o)
		for line := range strings.SplitSeq(tw.Render(), "\n") {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	for _, n := range t.Notes {
		width := o.Width
		if width <= 0 {
			width = 100
		}
		for line := range strings.SplitSeq(text.WrapSoft(n, min(width, 100)), "\n") {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// appendRows writes rows, and the headings between them into the first column.
func appendRows(tw table.Writer, t Table, o Options) {
	groups := t.Groups
	for i, r := range t.Rows {
		for len(groups) > 0 && groups[0].Row <= i {
			tw.AppendRow(table.Row{groups[0].Title})
			groups = groups[1:]
		}
		var row table.Row
		for k, c := range r {
			text := paint(c, o.Colour)
			if k == 0 && len(t.Groups) > 0 && i >= t.Groups[0].Row {
				text = "  " + text
			}
			row = append(row, text)
		}
		tw.AppendRow(row)
	}
}

// Names longer than these many letters are shortened: a word of a label or heading, and a whole label where nothing
// wraps it.
const (
	longestWord  = 40
	longestLabel = 160
)

// shown is a table as a terminal shows it: clean texts, names of a sensible length, marks behind their texts, and a dagger instead of bold where
// there is no colour.
func shown(t Table, o Options) Table {
	out := Table{Name: t.Name, Title: t.Title}
	for _, c := range t.Columns {
		out.Columns = append(out.Columns, Column{Title: shortWords(clean(c.Heading())), Right: c.Right})
	}
	for _, g := range t.Groups {
		out.Groups = append(out.Groups, Group{g.Row, shortWords(clean(g.Title))})
	}
	suffix := suffixes(t, o)
	for _, r := range t.Rows {
		row := make([]Cell, len(r))
		for i, c := range r {
			row[i] = c
			row[i].Text, row[i].Mark = clean(c.Text), ""
			if c.Label {
				row[i].Text = shortWords(row[i].Text)
				if o.Width <= 0 {
					row[i].Text = shorten(row[i].Text, longestLabel)
				}
			}
			row[i].Text += behind(c, o)
			if t.Columns[i].Right {
				row[i].Text += strings.Repeat(" ", suffix[i]-text.StringWidth(behind(c, o)))
			}
		}
		out.Rows = append(out.Rows, row)
	}
	for _, n := range t.Notes {
		if n == bestNote && !o.Colour {
			n = bestNoteMark
		}
		out.Notes = append(out.Notes, shortWords(clean(n)))
	}
	return out
}

// behind is what stands behind a cell's text: its mark, and a dagger for bold where there is no colour.
func behind(c Cell, o Options) string {
	if c.Strong && !o.Colour {
		return c.Mark + " †"
	}
	return c.Mark
}

// suffixes are the widths of what stands behind texts, by column, so that numbers stay in line.
func suffixes(t Table, o Options) []int {
	w := make([]int, len(t.Columns))
	for _, r := range t.Rows {
		for i, c := range r {
			w[i] = max(w[i], text.StringWidth(behind(c, o)))
		}
	}
	return w
}

func shortWords(t string) string {
	words := strings.Split(t, " ")
	for i, w := range words {
		words[i] = shorten(w, longestWord)
	}
	return strings.Join(words, " ")
}

// shorten leaves out the middle of what is longer than n letters.
func shorten(t string, n int) string {
	r := []rune(t)
	if len(r) <= n {
		return t
	}
	tail := n / 3
	return string(r[:n-1-tail]) + "…" + string(r[len(r)-tail:])
}

// paint colours a cell.
func paint(c Cell, colour bool) string {
	t := c.Text
	if !colour {
		return t
	}
	if c.Strong {
		return ansiBold + t + ansiReset
	}
	if a := ansi[c.Tone]; a != "" && t != "" {
		return a + t + ansiReset
	}
	return t
}

// clean takes control characters out of names, so that a study file cannot steer a terminal.
func clean(t string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, t)
}

func widths(t Table) []int {
	w := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		w[i] = text.StringWidth(c.Title)
	}
	for _, r := range t.Rows {
		for i, c := range r {
			w[i] = max(w[i], text.StringWidth(c.Text))
		}
	}
	for _, g := range t.Groups {
		w[0] = max(w[0], text.StringWidth(g.Title))
	}
	if len(t.Groups) > 0 {
		w[0] += 2 // rows under a heading stand in
	}
	return w
}

// wrap breaks lines at spaces, stands each as far in as the first, and leaves no spaces at their ends, which would push what is aligned right to the left.
func wrap(t string, width int) string {
	in := t[:len(t)-len(strings.TrimLeft(t, " "))]
	lines := strings.Split(text.WrapSoft(t[len(in):], width-len(in)), "\n")
	for i, l := range lines {
		lines[i] = in + strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}

// narrowest is how far a column of texts is wrapped.
const narrowest = 12

// fitted are the widths of columns with which a table fits a terminal: texts wrap, and headings that are wider than the
// numbers below them. Numbers stay whole, so that a table may remain too wide.
func fitted(t Table, width int) []int {
	w := widths(t)
	if width <= 0 {
		return w
	}
	least := leasts(t)
	over := -width
	for _, n := range w {
		over += n + 2
	}
	for ; over > 0; over-- {
		at := 0
		for i := range w {
			if w[i]-least[i] > w[at]-least[at] {
				at = i
			}
		}
		if w[at] <= least[at] {
			break
		}
		w[at]--
	}
	return w
}

// leasts are the widths below which columns cannot be read.
func leasts(t Table) []int {
	least := make([]int, len(t.Columns))
	for i, w := range widths(t) {
		if !t.Columns[i].Right {
			least[i] = min(w, narrowest)
			continue
		}
		for word := range strings.SplitSeq(t.Columns[i].Title, " ") {
			least[i] = max(least[i], text.StringWidth(word))
		}
		for _, r := range t.Rows {
			least[i] = max(least[i], text.StringWidth(r[i].Text))
		}
	}
	return least
}
