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

// Terminal writes tables for people at a terminal or in a pipe.
func Terminal(w io.Writer, ts []Table, o Options) error {
	for i, t := range ts {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
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
	if len(t.Rows) > 0 {
		tw := table.NewWriter()
		st := table.StyleLight
		st.Options = table.Options{SeparateHeader: true}
		st.Box.PaddingLeft, st.Box.PaddingRight = "", "  "
		st.Format.Header = text.FormatDefault
		tw.SetStyle(st)
		var head table.Row
		var cfg []table.ColumnConfig
		for i, c := range t.Columns {
			head = append(head, c.Title)
			cc := table.ColumnConfig{Number: i + 1}
			if c.Right {
				cc.Align, cc.AlignHeader = text.AlignRight, text.AlignRight
			}
			if i == widest(t) && o.Width > 0 {
				cc.WidthMax = max(14, widths(t)[i]-max(0, total(t)-o.Width))
				cc.WidthMaxEnforcer = text.WrapSoft
			}
			cfg = append(cfg, cc)
		}
		tw.AppendHeader(head)
		tw.SetColumnConfigs(cfg)
		for _, r := range t.Rows {
			var row table.Row
			for _, c := range r {
				row = append(row, paint(c, o.Colour))
			}
			tw.AppendRow(row)
		}
		for line := range strings.SplitSeq(tw.Render(), "\n") {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	for _, n := range t.Notes {
		width := o.Width
		if width <= 0 {
			width = 100
		}
		for line := range strings.SplitSeq(text.WrapSoft(clean(n), min(width, 100)), "\n") {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// paint colours a cell, or marks the best with a star where there is no colour.
func paint(c Cell, colour bool) string {
	t := clean(c.Text)
	if !colour {
		if c.Strong {
			t += " *"
		}
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
			w[i] = max(w[i], text.StringWidth(clean(c.Text)))
		}
	}
	return w
}

func total(t Table) int {
	n := 0
	for _, w := range widths(t) {
		n += w + 2
	}
	return n
}

func widest(t Table) int {
	at, n := 0, -1
	for i, w := range widths(t) {
		if w > n {
			at, n = i, w
		}
	}
	return at
}
