package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/diagnosis"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trials"
)

// lostWorker is a trial that the database calls running and whose worker is gone.
type lostWorker struct {
	Trial    int       `json:"trial"`
	Worker   string    `json:"worker"`
	LastSign time.Time `json:"last_sign_of_life"`
	Why      string    `json:"why"`
}

// otherProgram is a trial of the study that another program, Optuna, has taken: a run waits for it.
type otherProgram struct {
	Trial int       `json:"trial"`
	Since time.Time `json:"since"`
}

// diagnosisOf is `mapsweep doctor STUDY --json`.
type diagnosisOf struct {
	Study string             `json:"study"`
	Where []string           `json:"devices,omitempty"` // that it trained on, with the reason where it is known
	Lost  []lostWorker       `json:"lost_workers,omitempty"`
	Other []otherProgram     `json:"other_programs,omitempty"`
	Sum   diagnosis.Summary  `json:"summary"`
	All   []diagnosis.Report `json:"trials"`
}

func (a *app) doctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor STUDY [TRIAL]",
		Short: "Say what curves and telemetry tell about a study's training, and what to change",
		Long: `Doctor judges the trials of a study by the signals of the tuning article and a few more: what the
losses, scores, learning rates, epoch times and the use of the GPU tell about training.

Every finding has the numbers that it was judged by, its threshold and where that comes from, what it
means, and the levers that the trial's backend has for it. What cannot be judged is named with the
reason. It reads the database only. docs/DIAGNOSIS.md has every rule.`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, given []string) error {
			return a.withStudy(c.Context(), given[0], func(_ trials.Reader, snap *reports.Snapshot) error {
				if len(given) == 2 {
					return a.doctorTrial(snap, given[1], asJSON)
				}
				return a.doctorStudy(snap, asJSON)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func (a *app) doctorStudy(snap *reports.Snapshot, asJSON bool) error {
	all := snap.Diagnose()
	d := diagnosisOf{Study: snap.Study.Name, Sum: diagnosis.Summarize(all), All: all, Where: trainedOn(snap.Study.LastProvenance()), Lost: lostWorkers(snap.Trials, time.Now()),
		Other: otherPrograms(snap.Trials)}
	if d.All == nil {
		d.All = []diagnosis.Report{}
	}
	if asJSON {
		return printJSON(a.stdout, d)
	}
	p := a.newPrescription()
	p.heading(fmt.Sprintf("study %s: %s judged", d.Study, reports.Count(d.Sum.Trials, "trial")), d.Sum)
	if len(d.Where) > 0 {
		p.para("trained on " + strings.Join(d.Where, ", "))
	}
	p.lost(d.Study, d.Lost)
	p.other(d.Study, d.Other)
	if n := len(d.Sum.Unmeasured); n > 0 {
		p.para(fmt.Sprintf("no epoch was measured in %s %s", word(n, "trial", "trials"), diagnosis.Numbers(d.Sum.Unmeasured)))
	}
	p.groups(d.Sum, true)
	return p.err
}

func (a *app) doctorTrial(snap *reports.Snapshot, number string, asJSON bool) error {
	t, err := findTrial(snap, number)
	if err != nil {
		return err
	}
	lost, other := lostWorkers([]trials.Trial{t}, time.Now()), otherPrograms([]trials.Trial{t})
	runs := diagnosis.Runs(snap.Study, snap.Spec, snap.Trials)
	for _, r := range runs {
		if r.Number != t.Number {
			continue
		}
		rep := diagnosis.Diagnose(r)
		if asJSON {
			return printJSON(a.stdout, map[string]any{"study": snap.Study.Name, "lost_workers": lost, "other_programs": other, "trial": rep})
		}
		sum := diagnosis.Summarize([]diagnosis.Report{rep})
		p := a.newPrescription()
		epochs := fmt.Sprintf("%d", rep.Epochs)
		if rep.Planned > 0 {
			epochs += fmt.Sprintf(" of %d", rep.Planned)
		}
		if rep.Attempts > 1 {
			epochs += fmt.Sprintf(" epochs in %d attempts", rep.Attempts)
		} else {
			epochs += " epochs"
		}
		p.heading(fmt.Sprintf("trial %d of %s, %s, %s, %s", rep.Trial, snap.Study.Name, describe(t), strings.ToLower(rep.State), epochs), sum)
		p.lost(snap.Study.Name, lost)
		p.other(snap.Study.Name, other)
		if rep.Epochs == 0 {
			p.para("no epoch was measured")
		}
		p.groups(sum, false)
		return p.err
	}
	why := "it has not started"
	if n, ok := t.Integer(trials.AttrRetriedBy); ok {
		why = fmt.Sprintf("trial %d repeats it", n)
	}
	return fmt.Errorf("judge trial %d of study %s: %s", t.Number, snap.Study.Name, why)
}

// lostWorkers finds running trials whose worker is gone, as the engine would when it goes on with the study.
func lostWorkers(ts []trials.Trial, now time.Time) []lostWorker {
	var lost []lostWorker
	for _, t := range ts {
		if t.State != trials.Running || t.Open() == 0 { // without an attempt of ours it is another program's
			continue
		}
		l := lostWorker{Trial: t.Number, LastSign: t.LostAt(now), Worker: t.Attempts[len(t.Attempts)-1].Worker}
		silent := now.Sub(l.LastSign)
		switch life := local.Probe(l.Worker); {
		case life == local.Dead:
			l.Why = "its process is gone"
		case life == local.Unknown && silent > sweep.DefaultLost:
			l.Why = fmt.Sprintf("no sign of life for %s", duration(silent))
		default:
			continue
		}
		lost = append(lost, l)
	}
	return lost
}

// otherPrograms finds the trials of a study that another program runs.
func otherPrograms(ts []trials.Trial) []otherProgram {
	var out []otherProgram
	for _, t := range ts {
		if sweep.WaitsForOther(t) {
			out = append(out, otherProgram{Trial: t.Number, Since: t.Started})
		}
	}
	return out
}

// prescription writes findings for people and keeps the first error.
type prescription struct {
	w     io.Writer
	width int
	err   error
}

const (
	labelWidth  = 11
	pipeWidth   = 100 // columns where there is no terminal
	widestLines = 120
)

func (a *app) newPrescription() *prescription {
	width, ok := isTerminal(a.stdout)
	if !ok {
		width = pipeWidth
	}
	return &prescription{w: a.stdout, width: max(40, min(width-1, widestLines))}
}

func (p *prescription) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(p.w, format, args...); err != nil && p.err == nil {
		p.err = fmt.Errorf("write diagnosis: %w", err)
	}
}

// para writes text, wrapped.
func (p *prescription) para(body string) { p.wrap("", "", body) }

// item writes a label and text that is wrapped to the right of it; without a label the text goes on under the last one.
func (p *prescription) item(label, body string) {
	p.wrap(fmt.Sprintf("  %-*s", labelWidth, label), strings.Repeat(" ", labelWidth+2), body)
}

func (p *prescription) wrap(first, indent, body string) {
	for i, l := range strings.Split(text.WrapSoft(body, p.width-len(indent)), "\n") {
		if i == 0 {
			l = first + l
		} else {
			l = indent + l
		}
		p.printf("%s\n", strings.TrimRight(l, " "))
	}
}

// heading says how many signals are in which state.
// trainedOn lists the devices of a study, or what its trainer says of them.
func trainedOn(p trials.Provenance) []string {
	if said := p.Extra[trials.ExtraDevice]; said != "" {
		return []string{said}
	}
	return p.Devices
}

func (p *prescription) heading(what string, s diagnosis.Summary) {
	var parts []string
	for _, state := range diagnosis.States {
		if n := s.Count(state); n > 0 {
			parts = append(parts, reports.StateCount(state, n))
		}
	}
	if parts == nil {
		parts = []string{"nothing to judge"}
	}
	p.para(what + ": " + strings.Join(parts, ", "))
}

func (p *prescription) lost(study string, lost []lostWorker) {
	for _, l := range lost {
		p.para(fmt.Sprintf("trial %d is called running, but %s (%s, last sign of life %s): mapsweep run %s takes it up again",
			l.Trial, l.Why, or(l.Worker, "worker unknown"), l.LastSign.UTC().Format("2006-01-02 15:04:05 UTC"), study))
	}
}

func (p *prescription) other(study string, other []otherProgram) {
	for _, o := range other {
		p.para(fmt.Sprintf("trial %d is run by another program (Optuna) since %s, and mapsweep run waits for it: if that program has ended, mapsweep retry %s %d takes the trial from it, and the next run trains it",
			o.Trial, o.Since.UTC().Format("2006-01-02 15:04:05 UTC"), study, o.Trial))
	}
}

// groups writes problems and what to watch as blocks, the rest as lines.
func (p *prescription) groups(s diagnosis.Summary, several bool) {
	for _, state := range []diagnosis.State{diagnosis.Problem, diagnosis.Watch} {
		for _, g := range s.In(state) {
			p.block(g, several)
		}
	}
	p.brief("CANNOT BE JUDGED", s.In(diagnosis.Unknown), several, func(g diagnosis.Group) {
		p.item("why", g.Meaning)
		p.numbersBriefly(g)
		if g.Instead != "" {
			p.item("instead", g.Instead)
		}
	})
	p.brief("HEALTHY", s.In(diagnosis.Healthy), several, func(g diagnosis.Group) {
		p.numbersBriefly(g)
		p.item("threshold", g.Threshold+" ("+g.Source+")")
	})
}

func (p *prescription) block(g diagnosis.Group, several bool) {
	p.printf("\n")
	p.para(strings.ToUpper(string(g.State)) + "  " + g.Title + who(g, several))
	p.item("means", g.Meaning)
	p.numbers(g)
	p.item("threshold", g.Threshold)
	if g.Note != "" {
		p.item("", g.Note)
	}
	p.item("source", g.Source)
	label := "levers"
	for _, l := range g.Levers {
		p.item(label, reports.LeverText(l))
		label = ""
	}
}

func (p *prescription) brief(title string, gs []diagnosis.Group, several bool, detail func(diagnosis.Group)) {
	if len(gs) == 0 {
		return
	}
	p.printf("\n%s\n", title)
	for _, g := range gs {
		p.para(g.Title + who(g, several))
		detail(g)
	}
}

func (p *prescription) numbers(g diagnosis.Group) {
	label := "numbers"
	for _, r := range g.Ranges {
		p.item(label, reports.RangeText(r))
		label = ""
	}
}

func (p *prescription) numbersBriefly(g diagnosis.Group) {
	if len(g.Ranges) > 0 {
		p.item("numbers", reports.RangesText(g.Ranges))
	}
}

// who says which trials share a finding.
func who(g diagnosis.Group, several bool) string {
	if !several {
		return ""
	}
	return ": " + reports.Sharers(g)
}

func word(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
