package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// view shows a running study: on a terminal one bar per running trial, the study's bar and the table
// so far; anywhere else plain lines. Its methods may be called from several goroutines.
type view struct {
	out     io.Writer
	metric  string
	blocks  int // data sets
	total   int
	open    bool // the trials are a bound: a tuning ends when its device time is used up
	began   time.Time
	width   int // of the terminal, in characters
	height  int
	running map[int64]*liveTrial

	mu        sync.Mutex
	bars      *mpb.Progress // nil: plain lines
	study     *mpb.Bar
	done      sweep.Summary
	resumed   int      // trials that were finished before this run
	tableText []string // the table so far, line by line, shown under the bars
}

// liveTrial is what the view knows of a running trial.
type liveTrial struct {
	trial    trials.Trial
	bar      *mpb.Bar
	epochs   int
	first    int // epochs that an earlier attempt had finished
	progress trainer.Progress
	score    float64
	began    time.Time
}

const (
	barScale  = 1000 // parts of a bar in an epoch
	barWidth  = 24   // characters
	tailWidth = 50   // of what stands right of a trial's bar
)

func (a *app) newView(spec studies.Spec, plain bool) *view {
	v := &view{out: a.stdout, metric: spec.Objective.Metric, blocks: len(spec.Trainer.Data), began: time.Now(), running: map[int64]*liveTrial{}}
	if width, height, ok := terminalSize(a.stdout); ok && !plain {
		v.width, v.height = width, height
		v.bars = mpb.New(mpb.WithOutput(unwrap(a.stdout)), mpb.WithWidth(barWidth), mpb.WithRefreshRate(200*time.Millisecond))
	}
	return v
}

// Write prints lines above the bars.
func (v *view) Write(b []byte) (int, error) {
	if v.bars != nil {
		return v.bars.Write(b)
	}
	return v.out.Write(b)
}

func (v *view) printf(format string, args ...any) { fmt.Fprintf(v, format+"\n", args...) }

// event is the engine's listener.
func (v *view) event(ev sweep.Event) {
	switch ev := ev.(type) {
	case sweep.StudyStarted:
		v.started(ev)
	case sweep.TrialStarted:
		v.trialStarted(ev)
	case sweep.TrialProgress:
		v.progress(ev)
	case sweep.TrialMeasured:
		v.measured(ev)
	case sweep.TrialFinished:
		v.trialFinished(ev)
	case sweep.SearchEnded:
		v.printf("search ended: %s", ev.Why)
	case sweep.VariantSettled:
		v.printf("%s", v.settledWords(ev))
	}
}

func (v *view) started(ev sweep.StudyStarted) {
	v.mu.Lock()
	v.total, v.done, v.resumed = ev.Summary.Planned, ev.Summary, ev.Summary.Finished()
	v.mu.Unlock()
	verb := "study"
	if ev.Continued {
		verb = "going on with study"
	}
	more := ""
	if ev.Most > ev.Parallel {
		more = fmt.Sprintf(" (up to %d when GPUs have room)", ev.Most)
	}
	bound := ""
	if v.open {
		bound = "at most "
	}
	v.printf("%s %s: %s%s, %d at a time%s%s", verb, ev.Study.Name, bound, growingTrials(ev.Summary), ev.Parallel, more, finishedWords(v.resumed))
	for _, d := range ev.Devices {
		v.printf("  device %s", d)
	}
	if said := ev.Study.LastProvenance().Extra[trials.ExtraDevice]; said != "" && len(ev.Devices) == 0 {
		v.printf("  device %s", said)
	}
	for _, e := range ev.Extended {
		v.printf("  extended: %s", e)
	}
	if len(ev.Lost) > 0 {
		v.printf("  their worker vanished, they run again: trials %s", numbers(ev.Lost))
	}
	if len(ev.Retried) > 0 {
		v.printf("  failed before, repeated: trials %s", numbers(ev.Retried))
	}
	for _, s := range ev.Settled {
		v.printf("  before: %s", v.settledWords(s))
	}
	for _, d := range ev.Study.Provenance.Data {
		v.printf("  data %s: %d train, %d val pictures, %d classes, hash %.12s", d.Name, d.Train, d.Val, len(d.Classes), d.Hash)
		for _, n := range d.Notes {
			v.printf("    note: %s", n)
		}
	}
	for _, n := range ev.Notes {
		v.printf("  note: %s", n)
	}
	if v.bars == nil {
		return
	}
	v.study = v.bars.New(0, mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("").Padding("─"),
		mpb.BarPriority(math.MaxInt32),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return v.studyHead() }, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return v.studyTail() })),
		mpb.BarBtmExtender(v.tableLines(max(ev.Parallel, ev.Most))...),
	)
	v.study.SetTotal(int64(max(1, v.total)), false) // it must not end by itself: close takes it off
	v.study.SetCurrent(int64(v.resumed))
}

func finishedWords(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d finished already", n)
}

func (v *view) trialStarted(ev sweep.TrialStarted) {
	lt := &liveTrial{trial: ev.Trial, epochs: max(1, ev.Epochs), first: ev.Resume, score: math.NaN(), began: time.Now()}
	v.mu.Lock()
	v.running[ev.Trial.ID] = lt
	v.mu.Unlock()
	if v.bars == nil {
		return
	}
	lt.bar = v.bars.New(int64(lt.epochs*barScale), mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("").Padding("─"),
		mpb.BarRemoveOnComplete(), mpb.BarPriority(ev.Trial.Number),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return v.trialHead(lt) }, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return v.trialTail(lt) })),
	)
	lt.bar.SetCurrent(int64(lt.first * barScale))
}

func (v *view) progress(ev sweep.TrialProgress) {
	p := ev.Progress
	lt := v.update(ev.Trial.ID, func(lt *liveTrial) { lt.progress = p })
	if lt != nil && p.Steps > 0 {
		lt.advance((p.Epoch-1)*barScale + barScale*p.Step/p.Steps)
	}
}

func (v *view) measured(ev sweep.TrialMeasured) {
	lt := v.update(ev.Trial.ID, func(lt *liveTrial) {
		if x, ok := ev.Measurement.Metrics[v.metric]; ok {
			lt.score = x
		}
	})
	if lt != nil {
		lt.advance(ev.Measurement.Epoch * barScale)
	}
}

// update changes what is known of a running trial, if it is one. Bars are moved after the lock is
// given back: a bar that is being drawn holds up its movers, and drawing needs the lock.
func (v *view) update(id int64, change func(*liveTrial)) *liveTrial {
	v.mu.Lock()
	defer v.mu.Unlock()
	lt := v.running[id]
	if lt != nil {
		change(lt)
	}
	return lt
}

// advance moves the bar, never to its end: the trial's end does that.
func (lt *liveTrial) advance(at int) {
	if lt.bar != nil {
		lt.bar.SetCurrent(int64(min(at, lt.epochs*barScale-1)))
	}
}

func (v *view) trialFinished(ev sweep.TrialFinished) {
	v.mu.Lock()
	lt := v.running[ev.Trial.ID]
	delete(v.running, ev.Trial.ID)
	v.done = ev.Summary
	grown := ev.Summary.Planned > v.total
	v.total = max(v.total, ev.Summary.Planned)
	v.mu.Unlock()
	if lt != nil && lt.bar != nil {
		lt.bar.Abort(true)
	}
	if v.study != nil && grown {
		v.study.SetTotal(int64(v.total), false)
	}
	if v.study != nil {
		v.study.SetCurrent(int64(min(ev.Summary.Finished(), v.total)))
	}
	line := fmt.Sprintf("trial %d  %s", ev.Trial.Number, describe(ev.Trial))
	if data := ev.Trial.Text(trials.AttrData); v.blocks > 1 && data != "" {
		line += ", " + data
	}
	switch {
	case ev.Trial.State == trials.Complete && len(ev.Trial.Values) > 0:
		line += fmt.Sprintf("  %s %.4f", v.metric, ev.Trial.Values[0])
	case ev.Trial.State == trials.Pruned && ev.Reason == "":
		line += "  pruned"
	case ev.Trial.State == trials.Pruned: // the reason says it
	case ev.Trial.State == trials.Waiting:
		line += "  put back"
	default:
		line += "  FAILED"
	}
	switch {
	case ev.Reason != "" && ev.Trial.State == trials.Pruned:
		line += "  " + ev.Reason
	case ev.Reason != "":
		line += ": " + ev.Reason
	}
	if lt != nil {
		line += "  " + duration(time.Since(lt.began))
	}
	if v.bars == nil {
		line += fmt.Sprintf("  (%s)", v.progressWords(ev.Summary))
		v.printf("%s", line)
	} else if ev.Trial.State == trials.Fail || ev.Trial.State == trials.Waiting {
		v.printf("%s", line)
	}
}

// growingTrials is the number of trials of a study with its noun.
func growingTrials(s sweep.Summary) string {
	if s.Most > s.Planned {
		return grows(s.Planned, s.Most) + " trials"
	}
	return count(s.Planned, "trial")
}

// progressWords says how far a study has come: 3 of 12; where the number is a bound, without those that it will not need.
func (v *view) progressWords(s sweep.Summary) string {
	if v.open {
		return fmt.Sprintf("%d of at most %d", s.Finished()-s.Skipped, s.Planned)
	}
	return fmt.Sprintf("%d of %s", s.Finished(), grows(s.Planned, s.Most))
}

// grows is a number of trials that may become a larger one: 15, or 15 to 60.
func grows(now, most int) string {
	if most <= now {
		return fmt.Sprint(now)
	}
	return upTo(now, most)
}

// settledWords says in a line how a variant ended: "mosaic=0: worse after 3 pairs, −7.1 [−9.1, −5.1]; stops".
func (v *view) settledWords(ev sweep.VariantSettled) string {
	m := reports.MetricOf(v.metric)
	e := reports.Effect{Effect: ev.Effect}
	line := ev.Arm
	if v.blocks > 1 {
		line += ", " + ev.Data
	}
	if ev.Settled {
		line += fmt.Sprintf(": %s after %s", ev.Verdict, count(ev.N, "pair"))
	} else {
		line += ": " + string(reports.NotSettled)
	}
	if !math.IsNaN(ev.Mean) {
		line += strings.TrimRight(", "+m.Effect(e)+" "+m.Interval(e), " ")
	}
	if !ev.Settled {
		line += " (" + ev.Reason + ")"
	}
	return line + "; stops"
}

// describe names a trial by what makes it different: its variant and seed, or its varied parameters.
func describe(t trials.Trial) string {
	if arm := t.Arm(); arm != "" {
		if r, tuned := t.Tuning(); tuned {
			arm += fmt.Sprintf(" as tuning %d chose", r)
		}
		return fmt.Sprintf("%s, replicate %d", arm, t.Replicate())
	}
	var parts []string
	for _, p := range t.Space {
		if x, ok := trials.Number(t.Params[p.Name]); ok {
			parts = append(parts, fmt.Sprintf("%s=%.3g", p.Name, x))
			continue
		}
		parts = append(parts, p.Name+"="+trials.FormatValue(t.Params[p.Name]))
	}
	text := strings.Join(parts, " ")
	if n, ok := t.Continues(); ok {
		text += fmt.Sprintf(", continues trial %d", n)
	}
	return text
}

func (v *view) trialHead(lt *liveTrial) string {
	head := fmt.Sprintf("trial %-3d", lt.trial.Number)
	room := v.screenWidth() - tailWidth - barWidth - len(head) - 3
	if room < 12 {
		return head
	}
	return head + " " + shorten(describe(lt.trial), room)
}

// shorten cuts s to n characters, the last of them an ellipsis.
func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

// screenWidth is the terminal's width now: it may be resized while a study runs.
func (v *view) screenWidth() int {
	if w, _, ok := terminalSize(v.out); ok {
		return w
	}
	return v.width
}

func (v *view) trialTail(lt *liveTrial) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := lt.progress
	s := fmt.Sprintf("epoch %d/%d", max(p.Epoch, lt.first+1), lt.epochs)
	if p.Loss > 0 {
		s += fmt.Sprintf("  loss %.3g", p.Loss)
	}
	if !math.IsNaN(lt.score) {
		s += fmt.Sprintf("  %s %.3f", shortMetric(v.metric), lt.score)
	}
	done := float64(p.Epoch-1-lt.first) + float64(p.Step)/float64(max(1, p.Steps))
	if done > 0.05 {
		left := time.Duration(float64(time.Since(lt.began)) / done * (float64(lt.epochs-lt.first) - done))
		s += "  " + duration(left) + " left"
	}
	return shorten(s, max(8, min(tailWidth, v.screenWidth()-barWidth-13)))
}

// shortMetric keeps the main metric short on a bar.
func shortMetric(m string) string {
	if m == "mAP50-95" {
		return "mAP"
	}
	return m
}

func (v *view) studyHead() string { return "study" }

func (v *view) studyTail() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	finished := v.done.Finished()
	s := fmt.Sprintf("%d/%d trials", finished, v.total)
	if v.open {
		s = count(finished-v.done.Skipped, "trial")
	}
	if v.done.Most > v.total {
		s += fmt.Sprintf(", up to %d", v.done.Most)
	}
	if v.done.Failed > 0 {
		s += fmt.Sprintf(", %d failed", v.done.Failed)
	}
	elapsed := time.Since(v.began)
	if here := finished - v.resumed; here > 0 && finished < v.total && !v.open {
		s += "  " + duration(time.Duration(float64(elapsed)/float64(here)*float64(v.total-finished))) + " left"
	}
	return shorten(s+"  "+duration(elapsed), max(8, v.screenWidth()-barWidth-13))
}

// table renders the table so far under the bars.
func (v *view) table(snap *reports.Snapshot) {
	if v.bars == nil {
		return
	}
	var b bytes.Buffer
	if err := tables.Terminal(&b, tables.All(snap), tables.Options{Width: v.screenWidth(), Colour: os.Getenv("NO_COLOR") == ""}); err != nil {
		return
	}
	v.mu.Lock()
	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	if i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "Trials: ") }); i >= 0 {
		lines = lines[:i] // the study's bar counts them, and is newer
	}
	v.tableText = append([]string{""}, lines...)
	v.mu.Unlock()
}

// tableLines are the lines under the bars: one filler a line, as many as the screen has room for.
func (v *view) tableLines(parallel int) []mpb.BarFiller {
	lines := make([]mpb.BarFiller, max(0, v.height-parallel-3))
	for i := range lines {
		lines[i] = mpb.BarFillerFunc(func(w io.Writer, _ decor.Statistics) error {
			v.mu.Lock()
			defer v.mu.Unlock()
			if i >= len(v.tableText) {
				return nil
			}
			_, err := io.WriteString(w, text.Trim(v.tableText[i], v.screenWidth()-1)+"\n")
			return err
		})
	}
	return lines
}

// close takes the bars off the screen.
func (v *view) close() {
	if v.bars == nil {
		return
	}
	v.mu.Lock()
	v.tableText = nil
	v.mu.Unlock()
	for _, lt := range v.running {
		if lt.bar != nil {
			lt.bar.Abort(true)
		}
	}
	if v.study != nil {
		v.study.Abort(true)
	}
	v.bars.Wait()
}

// numbers joins trial numbers.
func numbers(ns []int) string {
	s := make([]string, len(ns))
	for i, n := range ns {
		s[i] = fmt.Sprint(n)
	}
	return strings.Join(s, ", ")
}
