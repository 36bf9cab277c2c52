package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// checkedWriter remembers the first error, so that output to a full disk does not end with exit code 0.
type checkedWriter struct {
	w   io.Writer
	err error
}

func (c *checkedWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	if err != nil && c.err == nil {
		c.err = err
	}
	return n, err
}

// switchWriter writes to what it was last told to.
type switchWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *switchWriter) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(b)
}

// to sends what follows to w.
func (s *switchWriter) to(w io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.w = w
}

// unwrap is the writer itself: whoever draws on a terminal needs the file.
func unwrap(w io.Writer) io.Writer {
	if c, ok := w.(*checkedWriter); ok {
		return c.w
	}
	return w
}

// lineLog is a slog.Handler that writes warnings as plain lines among the others.
type lineLog struct {
	w     io.Writer
	attrs []slog.Attr
}

func (h lineLog) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

func (h lineLog) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	name := "warning: "
	if r.Level > slog.LevelWarn {
		name = "error: "
	}
	b.WriteString(name + r.Message)
	add := func(a slog.Attr) bool {
		fmt.Fprintf(&b, ", %s %v", a.Key, a.Value)
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	_, err := fmt.Fprintln(h.w, b.String())
	return err
}

func (h lineLog) WithAttrs(as []slog.Attr) slog.Handler {
	h.attrs = append(h.attrs[:len(h.attrs):len(h.attrs)], as...)
	return h
}

func (h lineLog) WithGroup(string) slog.Handler { return h }

// printJSON writes v indented, for --json.
func printJSON(w io.Writer, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s\n", b)
	return err
}

// terminalSize is the size of the terminal w in characters; not ok if w is none, or one without a size.
func terminalSize(w io.Writer) (width, height int, ok bool) {
	f, isFile := unwrap(w).(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, 0, false
	}
	width, height, err := term.GetSize(int(f.Fd()))
	return width, height, err == nil && width > 0 && height > 0
}

// isTerminal says whether w is a terminal, and how wide.
func isTerminal(w io.Writer) (width int, ok bool) {
	width, _, ok = terminalSize(w)
	return width, ok
}

// duration prints a time span as people read it: 42 s, 6 min 10 s, 2 h 14 min.
func duration(d time.Duration) string {
	d = d.Round(time.Second)
	switch h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60; {
	case h > 0:
		return fmt.Sprintf("%d h %02d min", h, m)
	case m > 0:
		return fmt.Sprintf("%d min %02d s", m, s)
	default:
		return fmt.Sprintf("%d s", s)
	}
}

// printJSONLine writes v on one line.
func printJSONLine(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s\n", b)
	return err
}
