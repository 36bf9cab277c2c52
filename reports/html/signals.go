package html

import (
	"fmt"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/diagnosis"
)

// signals is what curves and telemetry tell about training: what is wrong in full, the rest behind a click.
type signals struct {
	Words  string // one sentence; "" leaves the section out
	Sick   []signal
	Folded []folded
}

// folded are findings behind a click.
type folded struct {
	Title   string
	Signals []signal
}

// signal is a finding that trials share.
type signal struct {
	Title, Meaning, Who string
	Tone                string // class of the style sheet
	Rows                []row
}

// row is a heading with what stands beside it, each on a line of its own.
type row struct {
	Words  string
	Values []string
}

func newSignals(s *reports.Snapshot) signals {
	sum := s.Signals()
	if len(sum.Groups) == 0 {
		return signals{}
	}
	var parts []string
	for _, state := range diagnosis.States {
		if n := sum.Count(state); n > 0 {
			parts = append(parts, reports.StateCount(state, n))
		}
	}
	out := signals{Words: fmt.Sprintf("What losses, scores, learning rates and the use of the machine tell about the training of %s: %s.",
		reports.Count(sum.Trials, "trial"), strings.Join(parts, ", "))}
	for _, state := range []diagnosis.State{diagnosis.Problem, diagnosis.Watch} {
		for _, g := range sum.In(state) {
			out.Sick = append(out.Sick, newSignal(g))
		}
	}
	out.fold("What cannot be judged, and why", sum.In(diagnosis.Unknown))
	out.fold("What is healthy, with numbers and thresholds", sum.In(diagnosis.Healthy))
	return out
}

func (s *signals) fold(title string, gs []diagnosis.Group) {
	if len(gs) == 0 {
		return
	}
	f := folded{Title: title}
	for _, g := range gs {
		f.Signals = append(f.Signals, newSignal(g))
	}
	s.Folded = append(s.Folded, f)
}

func newSignal(g diagnosis.Group) signal {
	x := signal{Title: g.Title, Meaning: reports.Sentence(g.Meaning), Who: "In " + reports.Sharers(g) + ".", Tone: "calm"}
	switch g.State {
	case diagnosis.Problem:
		x.Title, x.Tone = "Problem: "+g.Title, "problem"
	case diagnosis.Watch:
		x.Title, x.Tone = "To watch: "+g.Title, "watch"
	}
	if len(g.Ranges) > 0 {
		x.Rows = append(x.Rows, row{"Numbers", []string{reports.Sentence(reports.RangesText(g.Ranges))}})
	}
	if g.Instead != "" {
		x.Rows = append(x.Rows, row{"Instead", []string{reports.Sentence(g.Instead)}})
	}
	x.Rows = append(x.Rows, row{"Threshold", []string{strings.TrimSpace(reports.Sentence(g.Threshold)+" "+g.Note) + " Source: " + g.Source + "."}})
	var help []string
	for _, l := range g.Levers {
		help = append(help, reports.LeverText(l))
	}
	if help != nil {
		x.Rows = append(x.Rows, row{"What helps", help})
	}
	return x
}
