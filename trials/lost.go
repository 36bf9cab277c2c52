package trials

import "time"

// LostAt is the last sign of life of the worker that made the trial's last attempt: its heartbeat or newest
// measurement, whichever is later, but not before the attempt began and not after now. If the worker
// vanished, this is when the attempt ended: the time until someone noticed was nobody's work.
func (t Trial) LostAt(now time.Time) time.Time {
	last := t.Heartbeat
	for _, m := range t.Measurements {
		if m.At.After(last) {
			last = m.At
		}
	}
	if n := len(t.Attempts); n > 0 && t.Attempts[n-1].Started.After(last) {
		last = t.Attempts[n-1].Started
	}
	if last.After(now) {
		return now
	}
	return last
}

// Silent says that nothing was heard of the trial's worker between an earlier reading and t: it is the same attempt, without a
// heartbeat or measurement since.
func (t Trial) Silent(earlier Trial) bool {
	if len(t.Attempts) != len(earlier.Attempts) || t.State != earlier.State {
		return false
	}
	ever := time.Unix(1<<40, 0)
	return t.Heartbeat.Equal(earlier.Heartbeat) && len(t.Measurements) == len(earlier.Measurements) && t.LostAt(ever).Equal(earlier.LostAt(ever))
}
