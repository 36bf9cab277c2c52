package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/courses"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/trials"
)

func byNumber(ts []trials.Trial) []trials.Trial {
	ts = slices.Clone(ts)
	slices.SortStableFunc(ts, func(a, b trials.Trial) int { return cmp.Compare(a.Number, b.Number) })
	return ts
}

// byHand begins the keys of trials that a user enqueued: they come on top of what the file asks for.
const byHand = "by-hand "

// account counts trials by outcome. What the file asks for is planned
// even before it is enqueued or proposed by the sampler. at is where a study until settled stands: of it is
// planned what was enqueued, and what is known to be needed. ended is why a search was done before all its trials, or "".
func account(spec studies.Spec, at *courses.Standing, ts []trials.Trial, now time.Time, ended string) Accounting {
	a := Accounting{Ended: ended}
	asked := 0 // by the study's file
	for _, t := range ts {
		if t.Superseded() {
			if t.Text(trials.AttrClass) != trials.ClassSkipped {
				a.Repeated++
			}
			continue
		}
		if t.Continued() {
			a.Continued++
			continue
		}
		a.Planned++
		if _, tuned := t.Tuning(); !tuned && !strings.HasPrefix(t.Key, byHand) {
			asked++
		}
		switch t.State {
		case trials.Complete:
			a.Complete++
		case trials.Pruned:
			a.Pruned++
		case trials.Running:
			a.Running++
		case trials.Waiting:
			a.Waiting++
		default:
			switch t.Text(trials.AttrClass) {
			case trials.ClassInfeasible:
				a.Infeasible++
			case trials.ClassSkipped:
				a.Skipped++
			default:
				a.Failed++
			}
		}
	}
	if at != nil {
		a.Planned += len(at.Missing)
		a.Missing = len(at.Missing)
		if at.Most > 0 {
			a.Most = a.Planned + at.Most
		}
		return a
	}
	if more := planned(spec) - asked; more > 0 && ended == "" {
		a.Planned += more
		switch {
		case spec.Fixed():
			a.Missing = more
		case a.Running+a.Waiting == 0 && spent(spec, ts, now):
			a.Skipped += more
		default:
			a.Waiting += more
		}
	}
	if more := unchosen(spec, ts); more > 0 {
		a.Planned += more
		a.Waiting += more
	}
	return a
}

// spent says that the trials have used up the study's budget. It counts as the engine does.
func spent(spec studies.Spec, ts []trials.Trial, now time.Time) bool {
	b := spec.Budget
	var sum time.Duration
	var begun time.Time
	epochs := 0
	for _, t := range ts {
		epochs += len(t.Measurements)
		for _, at := range t.Attempts {
			if begun.IsZero() || at.Started.Before(begun) {
				begun = at.Started
			}
			end := at.Ended
			if end.IsZero() {
				end = t.LostAt(now)
			}
			sum += max(0, end.Sub(at.Started))
		}
	}
	limit, err := time.ParseDuration(b.WallClock)
	return b.DeviceHours > 0 && sum.Hours() >= b.DeviceHours ||
		b.Epochs > 0 && epochs+max(1, spec.Trainer.Epochs) > b.Epochs ||
		err == nil && limit > 0 && !begun.IsZero() && now.Sub(begun) >= limit
}

// planned is the number of trials that the study's file asks for.
func planned(spec studies.Spec) int {
	if spec.Design == studies.DesignSearch {
		if spec.Search == nil {
			return 0
		}
		return spec.Search.Trials * max(1, spec.Replicates) * max(1, len(spec.Trainer.Data))
	}
	plan, err := design.Points(spec)
	if err != nil { // a file that this version cannot lay out: what was enqueued is what was planned
		return 0
	}
	return len(plan.Points)
}

// failures lists failed trials with their reasons.
func failures(s *Snapshot) []Failure {
	labels := map[string]string{}
	for _, b := range s.Blocks {
		for _, a := range b.Arms {
			labels[a.Name] = a.Label
		}
	}
	var fs []Failure
	for _, t := range s.Trials {
		if t.State != trials.Fail || t.Superseded() && t.Text(trials.AttrClass) == trials.ClassSkipped {
			continue
		}
		f := Failure{Trial: t.Number, Arm: labels[t.Arm()], Class: t.Text(trials.AttrClass),
			Reason: t.Text(trials.AttrReason), LogTail: t.Text(trials.AttrLogTail), Repeated: t.Superseded()}
		if f.Arm == "" {
			f.Arm = t.Arm()
		}
		if r, tuned := t.Tuning(); tuned {
			f.Arm += fmt.Sprintf(", tuning %d", r)
		}
		if f.Class == "" {
			f.Class = trials.ClassError
		}
		if f.Reason == "" {
			f.Reason = "no reason was recorded"
		}
		fs = append(fs, f)
	}
	return fs
}

// asOf is the latest moment that the database knows of.
func asOf(st trials.Study, ts []trials.Trial) time.Time {
	last := st.Created
	see := func(t time.Time) {
		if t.After(last) {
			last = t
		}
	}
	for _, t := range ts {
		see(t.Started)
		see(t.Finished)
		see(t.Heartbeat)
		for _, a := range t.Attempts {
			see(a.Started)
			see(a.Ended)
		}
		if n := len(t.Measurements); n > 0 {
			see(t.Measurements[n-1].At)
		}
	}
	return last
}

// intervals are the stretches during which a trial ran.
func intervals(t trials.Trial, now time.Time) [][2]time.Time {
	end := func(stop time.Time) time.Time {
		switch {
		case !stop.IsZero():
			return stop
		case !t.Finished.IsZero():
			return t.Finished
		case !t.Heartbeat.IsZero(): // its worker may be gone since
			return t.LostAt(now)
		}
		return now
	}
	var iv [][2]time.Time
	if _, past := t.Attrs[trials.AttrImported]; past { // how long the import took says nothing, and the run's own time is not known
		return nil
	}
	add := func(from, to time.Time) {
		if !from.IsZero() && to.After(from) {
			iv = append(iv, [2]time.Time{from, to})
		}
	}
	if len(t.Attempts) == 0 {
		add(t.Started, end(t.Finished))
		return iv
	}
	for i, a := range t.Attempts {
		stop := a.Ended
		if stop.IsZero() && i+1 < len(t.Attempts) { // a vanished worker: the next attempt is the latest it can have ended
			stop = t.Attempts[i+1].Started
		}
		add(a.Started, end(stop))
	}
	return iv
}

// timing sums the trials' time, and the time during which at least one ran.
func timing(ts []trials.Trial, now time.Time) Time {
	var all [][2]time.Time
	var out Time
	for _, t := range ts {
		iv := intervals(t, now)
		for _, v := range iv {
			out.Device += v[1].Sub(v[0])
		}
		all = append(all, iv...)
	}
	if len(all) == 0 {
		return out
	}
	slices.SortFunc(all, func(a, b [2]time.Time) int { return a[0].Compare(b[0]) })
	out.First = all[0][0]
	from, to := all[0][0], all[0][1]
	for _, v := range all[1:] {
		if v[0].After(to) {
			out.Wall += to.Sub(from)
			from, to = v[0], v[1]
		} else if v[1].After(to) {
			to = v[1]
		}
	}
	out.Wall += to.Sub(from)
	out.Last = to
	return out
}
