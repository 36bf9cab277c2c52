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
