package sweep

import (
	"fmt"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/courses"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/trials"
)

// Summary accounts for every trial that a study planned. Trials that another one
// repeats are not counted, except in Repeated, and those that another one continues only in Continued. Where variants get replicates until they
// are settled, those before the first look are planned, and what turned out to be needed.
type Summary struct {
	Planned    int `json:"planned"`
	Complete   int `json:"complete"`
	Pruned     int `json:"pruned"`
	Failed     int `json:"failed"`
	Infeasible int `json:"infeasible"`
	Skipped    int `json:"skipped"`
	Running    int `json:"running"`
	Waiting    int `json:"waiting"`  // enqueued, or still to be suggested by a search
	Repeated   int `json:"repeated"` // failures that another trial repeats; not those that were skipped and run after all
	// Continued counts pruned trials that another one goes on from, which stands for the point; it is not part of the sum.
	Continued int `json:"continued,omitempty"`
	// Missing counts points of a fixed design that are not in the database; they are planned, and nothing else.
	Missing int `json:"missing,omitempty"`
	// Most is what Planned may grow to while variants are not settled; 0: it does not grow.
	Most int `json:"most,omitempty"`
	// Later counts trials of tuned variants whose parameters no tuning has found yet; they are planned, and nothing else.
	Later int `json:"later,omitempty"`
	// DeviceHours is the time of all attempts, repeated trials included.
	DeviceHours float64 `json:"device_hours"`
	// Epochs is how many were trained, by repeated trials, too.
	Epochs int `json:"epochs,omitempty"`
	// Ended is why a search ended before all its trials: the budget is used up, and the rest is skipped, or a rule of the
	// search says that it is done, and the rest is not planned any more.
	Ended string `json:"ended,omitempty"`
}

// Finished is the number of planned trials that have ended.
func (s Summary) Finished() int {
	return s.Complete + s.Pruned + s.Failed + s.Infeasible + s.Skipped
}

// Check says whether planned = complete + pruned + failed + infeasible + skipped holds, beside what comes later.
func (s Summary) Check() error {
	if s.Planned == s.Finished()+s.Later {
		return nil
	}
	return fmt.Errorf("account for trials: %d planned, but %d complete + %d pruned + %d failed + %d infeasible + %d skipped = %d (%d running, %d waiting, %d never enqueued)",
		s.Planned, s.Complete, s.Pruned, s.Failed, s.Infeasible, s.Skipped, s.Finished(), s.Running, s.Waiting, s.Missing)
}

// Count accounts for the trials of a study at that moment. Planned is what the spec lays out, whether or not it
// is among ts, and what was enqueued beside it.
func Count(spec studies.Spec, ts []trials.Trial, now time.Time) Summary {
	var l layout
	if spec.Fixed() {
		if plan, err := design.Points(spec); err == nil { // of a design that cannot be laid out nothing can miss
			l = newLayout(spec, plan)
		}
	}
	return tally(spec, l, ts, now, "")
}

// layout is a fixed design and what of it is planned from the start.
type layout struct {
	plan    design.Plan
	planned map[string]bool // keys of its points; where variants are to be settled those before the first look
}

func newLayout(spec studies.Spec, plan design.Plan) layout {
	points := plan.Points
	if spec.Settle != nil {
		points = courses.First(spec, plan)
	}
	l := layout{plan, make(map[string]bool, len(points))}
	for _, p := range points {
		l.planned[p.Key] = true
	}
	return l
}

// pointKey is the key of the point that a trial, or the trial that it repeats, was enqueued for.
func pointKey(t trials.Trial, planned map[string]bool) string {
	if _, again := t.Integer(trials.AttrRetryOf); again && !planned[t.Key] {
		return repetition.ReplaceAllString(t.Key, "")
	}
	return t.Key
}

// tally is Count for a design that is laid out already.
func tally(spec studies.Spec, l layout, ts []trials.Trial, now time.Time, ended string) Summary {
	c := newCounter(l.planned)
	for i := range ts {
		c.add(&ts[i], now, 1)
	}
	return c.summary(spec, l, now, ended, func() []trials.Trial { return ts })
}

// counter adds up trials for a Summary.
type counter struct {
	sum       Summary // of the trials that were added, DeviceHours left out
	spent     time.Duration
	epochs    int       // that were trained
	running   int       // trials that run
	ahead     int       // epochs that those have behind them, for trials that continue others theirs too
	begun     time.Time // start of the first attempt; zero: none
	suggested int       // of the trials that count, those that a search asked for
	tuned     int       // and those of tuned variants
	planned   map[string]bool
	found     map[string]int // trials of planned points
	pruned    map[int64]int  // last epochs of pruned trials, by number
}

func newCounter(planned map[string]bool) *counter {
	return &counter{planned: planned, found: map[string]int{}, pruned: map[int64]int{}}
}

// add counts t, or with sign -1 takes it out again. Trials of other programs count once they have ended.
func (c *counter) add(t *trials.Trial, now time.Time, sign int) {
	if foreign(*t) {
		return
	}
	c.spent += time.Duration(sign) * took(*t, now)
	c.epochs += sign * len(t.Measurements)
	switch t.State {
	case trials.Running:
		c.running += sign
		c.ahead += sign * c.behind(t)
	case trials.Pruned:
		c.pruned[int64(t.Number)] = lastEpoch(t.Measurements)
	}
	if len(t.Attempts) > 0 && (c.begun.IsZero() || t.Attempts[0].Started.Before(c.begun)) {
		c.begun = t.Attempts[0].Started
	}
	if t.Superseded() && t.Text(trials.AttrClass) != trials.ClassSkipped {
		c.sum.Repeated += sign
	}
	if t.Continued() && !t.Superseded() {
		c.sum.Continued += sign
	}
	if !t.Counts() {
		return
	}
	if _, ok := suggestionIndex(*t); ok {
		c.suggested += sign
	}
	if _, ok := t.Tuning(); ok {
		c.tuned += sign
	}
	if key := pointKey(*t, c.planned); c.planned[key] {
		if c.found[key] += sign; c.found[key] == 0 {
			delete(c.found, key)
		}
	} else {
		c.sum.Planned += sign
	}
	*c.sum.of(*t) += sign
}

// behind is how many epochs a running trial need not train any more. One that continues another goes on from that one's checkpoint, as
// long as it has measured nothing that says otherwise.
func (c *counter) behind(t *trials.Trial) int {
	if n, ok := t.Integer(trials.AttrContinues); ok && len(t.Measurements) == 0 {
		return c.pruned[n]
	}
	return lastEpoch(t.Measurements)
}

// over says how the budget is used up, or "": the device-hours and the time since the first start, when they are used, and
// the epochs, when another trial would not fit in with those that run.
func (c *counter) over(spec studies.Spec, now time.Time) string {
	b := spec.Budget
	if used := c.spent.Hours(); b.DeviceHours > 0 && used >= b.DeviceHours {
		return fmt.Sprintf("%.3g of %.3g device-hours used", used, b.DeviceHours)
	}
	if limit, err := time.ParseDuration(b.WallClock); err == nil && limit > 0 && !c.begun.IsZero() && now.Sub(c.begun) >= limit {
		return fmt.Sprintf("%s since the first trial began, %s allowed", now.Sub(c.begun).Round(time.Second), limit)
	}
	each := max(1, spec.Trainer.Epochs)
	coming := max(0, c.running*each-c.ahead)
	if b.Epochs > 0 && c.epochs+coming+each > b.Epochs {
		return fmt.Sprintf("%d of %d epochs used", c.epochs, b.Epochs)
	}
	return ""
}

// summary adds what is planned and not there. ended is why a search ended before all its trials, or ""; all lists the
// trials that were added.
func (c *counter) summary(spec studies.Spec, l layout, now time.Time, ended string, all func() []trials.Trial) Summary {
	s := c.sum
	s.DeviceHours, s.Epochs, s.Ended = c.spent.Hours(), c.epochs, ended
	s.Planned += len(c.planned)
	s.Missing = len(c.planned) - len(c.found)
	if spec.Settle != nil && len(l.plan.Points) > 0 {
		s.replicates(spec, l, all())
	}
	if spec.Tune != nil {
		s.Later = len(c.planned)*spec.Tune.Repeats - c.tuned
		s.Planned += s.Later
	}
	if more := searchTrials(spec) - c.suggested; more > 0 && ended == "" {
		s.Planned += more
		if over := c.over(spec, now); over != "" && s.Running == 0 && s.Waiting == 0 { // nothing more may start
			s.Skipped += more
			s.Ended = over
		} else {
			s.Waiting += more
		}
	}
	return s
}

// replicates adds the trials that unsettled variants need and that are not among ts: they are planned as soon as it
// is known that they are needed.
func (s *Summary) replicates(spec studies.Spec, l layout, ts []trials.Trial) {
	spent := spec.Budget.DeviceHours > 0 && s.DeviceHours >= spec.Budget.DeviceHours
	at := courses.Read(spec, l.plan, ts, spent)
	for _, p := range at.Missing {
		if !l.planned[p.Key] {
			s.Planned++
			s.Missing++
		}
	}
	if at.Most > 0 {
		s.Most = s.Planned + at.Most
	}
}

// of is the field in which a trial that counts is counted.
func (s *Summary) of(t trials.Trial) *int {
	switch t.State {
	case trials.Complete:
		return &s.Complete
	case trials.Pruned:
		return &s.Pruned
	case trials.Running:
		return &s.Running
	case trials.Waiting:
		return &s.Waiting
	}
	switch t.Text(trials.AttrClass) {
	case trials.ClassInfeasible:
		return &s.Infeasible
	case trials.ClassSkipped:
		return &s.Skipped
	}
	return &s.Failed
}

// searchTrials is the number of trials that a search asks for, 0 for fixed designs.
func searchTrials(spec studies.Spec) int {
	if spec.Design != studies.DesignSearch || spec.Search == nil {
		return 0
	}
	return spec.Search.Trials * max(1, spec.Replicates) * max(1, len(spec.Trainer.Data))
}

// took is the time that a trial's attempts have taken; an attempt that runs counts until
// the last sign of life of its worker.
func took(t trials.Trial, now time.Time) time.Duration {
	var sum time.Duration
	for _, a := range t.Attempts {
		end := a.Ended
		if end.IsZero() {
			end = t.LostAt(now)
		}
		if d := end.Sub(a.Started); d > 0 {
			sum += d
		}
	}
	return sum
}
